// Who may do what. A caller proves itself by a bearer token or a client certificate; what it may do are its roles in the
// namespace of the request. Without rules a service only listens to its own machine. What was wrong with a proof is for
// the log: the caller learns that it was not good.
import type { X509Certificate } from "node:crypto";
import { TLSSocket } from "node:tls";
import { isLoopback } from "@holdfast/channel";
import { type Clock, messageOf } from "@holdfast/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { ControlError } from "../errors.ts";
import { namespaceOf } from "../http/namespace.ts";
import { hasRole, nameOf, type Principal, type Role } from "./principal.ts";
import type { Principals } from "./principals.ts";
import type { RequestLimits } from "./request-limits.ts";
import { KeysUnavailable, LONGEST_TOKEN } from "./token-rules.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The role the route takes; `reader` for a GET and nothing for others means `admin`. */
    readonly role?: Role | "anyone";
    /** The role is needed in every namespace: the route is about all of them. */
    readonly everywhere?: boolean;
  }
  interface FastifyRequest {
    principal?: Principal;
  }
}

/** Decides about requests. */
export interface Access {
  /**
   * Lets a request through, and says whose it is.
   * @throws ControlError ACCESS_UNKNOWN, ACCESS_DENIED, ACCESS_KEYS_UNAVAILABLE, RATE_LIMITED; the cause is for the log
   */
  check(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** Whether nobody is asked who he is. */
  readonly isOpen: boolean;
}

/** What callers are told from each other by. */
export interface AccessSources {
  readonly clock: Clock;
  readonly limits?: RequestLimits;
  readonly principals?: () => Promise<Principals>;
  /** Who a token of the trusted issuer speaks for; throws what is wrong with it. */
  readonly verifyToken?: (token: string) => Promise<Principal>;
}

/**
 * Everybody on this machine may do everything, by a name of this machine; pages of other sites may not, though a browser
 * would send their requests: one whose name is made to lead here asks by that name, any other says where it is from.
 */
export const openAccess: Access = {
  isOpen: true,
  async check({ hostname, headers: { origin } }) {
    if (isLoopback(hostname) && (origin === undefined || isOfThisMachine(origin))) return;
    throw new ControlError(403, "ACCESS_DENIED", "local development answers to localhost only");
  },
};

function isOfThisMachine(origin: string): boolean {
  return URL.canParse(origin) && isLoopback(new URL(origin).hostname);
}

const BEARER = new RegExp(`^bearer +([\\x21-\\x7e]{1,${LONGEST_TOKEN}})$`, "i");

/** Access for those whom the sources know, and nobody else. */
export function accessOf(sources: AccessSources): Access {
  const { limits } = sources;
  return {
    isOpen: false,
    async check(request, reply) {
      limits?.arrived(request, reply);
      const role = roleOf(request);
      if (role === "anyone") return;
      const principal = await identify(sources, request, reply);
      request.principal = principal;
      limits?.known(principal, request, reply);
      requireRole(request, principal, role);
    },
  };
}

function roleOf({ routeOptions, method }: FastifyRequest): Role | "anyone" {
  return routeOptions.config.role ?? (method === "GET" || method === "HEAD" ? "reader" : "admin");
}

/** @throws ControlError ACCESS_DENIED */
function requireRole(request: FastifyRequest, principal: Principal, role: Role): void {
  const isEverywhere = request.routeOptions.config.everywhere === true;
  const namespace = isEverywhere ? undefined : namespaceOf(request);
  if (hasRole(principal, role, namespace)) return;
  const where = namespace === undefined ? "every namespace" : `namespace ${namespace}`;
  const text = `${nameOf(principal)} has not the role ${role} in ${where}, which this takes`;
  throw new ControlError(403, "ACCESS_DENIED", text);
}

/** One proof counts: whoever sends a token is not asked for a certificate. */
async function identify(
  sources: AccessSources,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Principal> {
  const { authorization } = request.headers;
  const certificate = certificateOf(request);
  const proof = authorization ?? certificate?.fingerprint256;
  if (proof === undefined) throw unknown("nothing was presented");
  const { limits } = sources;
  limits?.proves(proof, request, reply);
  try {
    const principal =
      authorization === undefined
        ? await identifyCertificate(sources, certificate as X509Certificate)
        : await identifyToken(sources, authorization);
    limits?.held(proof);
    return principal;
  } catch (thrown) {
    if ((thrown as ControlError).code === "ACCESS_UNKNOWN") limits?.failed(proof, request);
    throw thrown;
  }
}

async function identifyCertificate(
  { principals, clock }: AccessSources,
  certificate: X509Certificate,
): Promise<Principal> {
  const found = (await principals?.())?.byCertificate(certificate, clock.now());
  if (found !== undefined) return found;
  throw unknown(`certificate ${certificate.fingerprint256} is unknown, or not of its time`);
}

async function identifyToken(
  { principals, verifyToken }: AccessSources,
  authorization: string,
): Promise<Principal> {
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined) throw unknown("not a bearer token, or too long a one");
  const known = (await principals?.())?.byToken(token);
  if (known !== undefined) return known;
  if (verifyToken === undefined || !token.includes(".")) throw unknown("unknown token");
  try {
    return await verifyToken(token);
  } catch (thrown) {
    if (!(thrown instanceof KeysUnavailable)) throw unknown(faultOf(thrown));
    const text = "tokens can't be checked now; try again later";
    throw new ControlError(503, "ACCESS_KEYS_UNAVAILABLE", text, { cause: thrown });
  }
}

function faultOf(thrown: unknown): string {
  const { code } = thrown as { code?: unknown };
  return typeof code === "string" ? `${code}: ${messageOf(thrown)}` : messageOf(thrown);
}

function certificateOf({ raw: { socket } }: FastifyRequest): X509Certificate | undefined {
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
}

function unknown(reason: string): ControlError {
  const text = "a known token or certificate is needed";
  return new ControlError(401, "ACCESS_UNKNOWN", text, { cause: new Error(reason) });
}
