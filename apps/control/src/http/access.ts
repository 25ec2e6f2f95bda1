// Who may do what. A caller proves itself by a bearer token or a client certificate, of which the file of principals
// holds nothing but digests; what it may do are its roles. Without such a file a service only listens to its own machine.
import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { TLSSocket } from "node:tls";
import { messageOf } from "@holdfast/core";
import type { FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import { ControlError } from "../errors.ts";

/** What a principal may do: look, make instances and copy into them, register functions, make keeps. */
export const Role = Type.Union([
  Type.Literal("reader"),
  Type.Literal("user"),
  Type.Literal("admin"),
  Type.Literal("operator"),
]);
export type Role = Static<typeof Role>;

const Digest = Type.String({ pattern: "^[0-9a-f]{64}$" });

/** The file of principals. */
export const PrincipalsFile = Type.Object(
  {
    principals: Type.Array(
      Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 128 }),
          roles: Type.Array(Role),
          /** SHA-256 of a bearer token. */
          token_sha256: Type.Optional(Digest),
          /** SHA-256 of a client certificate, DER. */
          certificate_sha256: Type.Optional(Digest),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
type Principals = Static<typeof PrincipalsFile>["principals"];

/** A caller who is known. */
export interface Principal {
  readonly name: string;
  readonly roles: readonly Role[];
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** The role the route takes; `reader` for a GET and nothing for others means `admin`. */
    readonly role?: Role | "anyone";
  }
  interface FastifyRequest {
    principal?: Principal;
  }
}

/** Decides about requests. */
export interface Access {
  /** @throws ControlError ACCESS_UNKNOWN, ACCESS_DENIED */
  check(request: FastifyRequest): void;
}

/** Everybody on this machine may do everything. */
export const openAccess: Access = { check: () => undefined };

/**
 * Reads a file of principals.
 * @throws ControlError CONFIG_INVALID
 */
export async function readAccess(path: string): Promise<Access> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new ControlError(500, "CONFIG_INVALID", `${path} can't be read: ${messageOf(cause)}`);
  }
  if (!Value.Check(PrincipalsFile, value)) {
    const [first] = Value.Errors(PrincipalsFile, value);
    const fault = `${path}: ${first?.instancePath || "/"} ${first?.message}`;
    throw new ControlError(500, "CONFIG_INVALID", fault);
  }
  return accessOf(value.principals);
}

/** Access for some principals, and nobody else. */
export function accessOf(principals: Principals): Access {
  return {
    check(request) {
      const role = roleOf(request);
      if (role === "anyone") return;
      const principal = identify(principals, request);
      if (principal === undefined) {
        throw new ControlError(401, "ACCESS_UNKNOWN", "a known token or certificate is needed");
      }
      request.principal = principal;
      if (principal.roles.includes(role)) return;
      const text = `${principal.name} has not the role ${role}, which this takes`;
      throw new ControlError(403, "ACCESS_DENIED", text);
    },
  };
}

function roleOf({ routeOptions, method }: FastifyRequest): Role | "anyone" {
  return routeOptions.config.role ?? (method === "GET" || method === "HEAD" ? "reader" : "admin");
}

function identify(principals: Principals, request: FastifyRequest): Principal | undefined {
  const token = /^Bearer ([\x21-\x7e]{1,4096})$/.exec(request.headers.authorization ?? "")?.[1];
  const presented = token === undefined ? undefined : sha256(token);
  const { socket } = request.raw;
  const raw = socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.raw : undefined;
  const certificate = raw === undefined ? undefined : sha256(raw);
  return principals.find(
    ({ token_sha256: ofToken, certificate_sha256: ofCertificate }) =>
      isSame(presented, ofToken) || isSame(certificate, ofCertificate),
  );
}

function sha256(value: string | Uint8Array): Uint8Array {
  return createHash("sha256").update(value).digest();
}

function isSame(presented: Uint8Array | undefined, digest: string | undefined): boolean {
  if (presented === undefined || digest === undefined) return false;
  return timingSafeEqual(presented, Buffer.from(digest, "hex"));
}
