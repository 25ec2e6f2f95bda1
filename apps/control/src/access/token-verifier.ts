// Bearer tokens of an issuer that is trusted by configuration: JSON Web Tokens (RFC 7519) under one of its keys, for one
// of our audiences, of their time (RFC 8725, RFC 9068). What a token says of its own keys counts for nothing.

import { NAMESPACE_NAME } from "@holdfast/contract";
import type { Clock } from "@holdfast/core";
import { type JWTPayload, jwtVerify } from "jose";
import type { KeySet } from "./key-set.ts";
import { type Principal, ROLES, type Role } from "./principal.ts";
import { LONGEST_TOKEN, type TokenRules } from "./token-rules.ts";

const LEEWAY_SECONDS = 30;
/** What tokens for services are called, if anything: not those of logging out, of proofs of keys, and so on. */
const TYPES = new Set(["jwt", "at+jwt", "application/at+jwt"]);
const EVERYWHERE = "*";
const MAXIMUM_NAMESPACES = 1000;

/**
 * Who a token speaks for.
 * @throws Error saying what is wrong with it, which is for the log alone; KeysUnavailable
 */
export async function verifyToken(
  token: string,
  keys: KeySet,
  rules: TokenRules,
  clock: Clock,
): Promise<Principal> {
  if (token.length > LONGEST_TOKEN) throw new Error(`longer than ${LONGEST_TOKEN} characters`);
  const { payload, protectedHeader } = await jwtVerify(token, keys, {
    issuer: rules.issuer,
    audience: [...rules.audience],
    algorithms: [...rules.algorithms],
    clockTolerance: LEEWAY_SECONDS,
    currentDate: clock.now(),
    requiredClaims: ["exp", rules.nameClaim],
  });
  const { typ } = protectedHeader;
  if (typ !== undefined && !TYPES.has(typ.toLowerCase())) throw new Error(`a token of type ${typ}`);
  return { name: nameIn(payload, rules.nameClaim), by: "jwt", ...rolesIn(payload, rules) };
}

function nameIn(payload: JWTPayload, claim: string): string {
  const name = payload[claim];
  if (typeof name === "string" && /^[^\p{C}]{1,256}$/u.test(name)) return name;
  throw new Error(`${claim}: 1 to 256 characters expected`);
}

/** Names and roles that are not ours are another service's, and no fault; another shape is one. */
function rolesIn(
  payload: JWTPayload,
  { namespacesClaim }: TokenRules,
): Pick<Principal, "roles" | "namespaces"> {
  const claim = payload[namespacesClaim] ?? {};
  if (typeof claim !== "object" || Array.isArray(claim)) {
    throw new Error(`${namespacesClaim}: an object expected`);
  }
  const all = Object.entries(claim);
  if (all.length > MAXIMUM_NAMESPACES) throw new Error(`${namespacesClaim}: too many namespaces`);
  const lists = all.map(([namespace, roles]) => [namespace, knownRoles(roles)] as const);
  return {
    roles: lists.find(([namespace]) => namespace === EVERYWHERE)?.[1] ?? new Set(),
    namespaces: new Map(lists.filter(([namespace]) => NAMESPACE_NAME.test(namespace))),
  };
}

function knownRoles(roles: unknown): ReadonlySet<Role> {
  if (!Array.isArray(roles)) throw new Error("roles of a namespace: a list expected");
  return new Set(ROLES.filter((role) => roles.includes(role)));
}
