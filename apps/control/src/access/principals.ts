// The file of principals: who is known by a bearer token or a client certificate. It holds digests, never tokens.
import { createHash, timingSafeEqual, type X509Certificate } from "node:crypto";
import { NAMESPACE_NAME } from "@holdfast/contract";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import { type Principal, Role } from "./principal.ts";

const CLOSED = { additionalProperties: false };
const Digest = Type.String({ pattern: "^[0-9a-f]{64}$" });
const Roles = Type.Array(Role, { maxItems: 16 });

/** The file of principals. */
export const PrincipalsFile = Type.Object(
  {
    principals: Type.Array(
      Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 128 }),
          /** In every namespace. */
          roles: Type.Optional(Roles),
          /** By namespace. */
          namespaces: Type.Optional(Type.Record(Type.String(), Roles)),
          /** SHA-256 of a bearer token. */
          token_sha256: Type.Optional(Digest),
          /** SHA-256 of a client certificate, DER. */
          certificate_sha256: Type.Optional(Digest),
        },
        CLOSED,
      ),
    ),
  },
  CLOSED,
);
type Entry = Static<typeof PrincipalsFile>["principals"][number];

/** Those who are known by something they hold. */
export interface Principals {
  byToken(token: string): Principal | undefined;
  /** The certificate is known and of its time; that the caller has its key is for TLS to see. */
  byCertificate(certificate: X509Certificate, at: Date): Principal | undefined;
}

/**
 * Reads the text of a file of principals.
 * @throws Error saying what is wrong with it
 */
export function parsePrincipals(text: string): Principals {
  const value: unknown = JSON.parse(text);
  if (!Value.Check(PrincipalsFile, value)) {
    const [first] = Value.Errors(PrincipalsFile, value);
    throw new Error(`${first?.instancePath || "/"} ${first?.message}`);
  }
  const { principals } = value;
  for (const { name, namespaces = {} } of principals) {
    const wrong = Object.keys(namespaces).find((each) => !NAMESPACE_NAME.test(each));
    if (wrong !== undefined) throw new Error(`${name}: ${wrong} can't be a namespace's name`);
  }
  return {
    byToken(token) {
      const presented = sha256(token);
      const found = principals.find(({ token_sha256 }) => isSame(presented, token_sha256));
      return found === undefined ? undefined : principalOf(found, "token");
    },
    byCertificate({ raw, validFromDate, validToDate }, at) {
      const presented = sha256(raw);
      const found = principals.find(({ certificate_sha256: own }) => isSame(presented, own));
      if (found === undefined || at < validFromDate || at > validToDate) return undefined;
      return principalOf(found, "certificate");
    },
  };
}

function principalOf({ name, roles = [], namespaces = {} }: Entry, by: Principal["by"]): Principal {
  return {
    name,
    by,
    roles: new Set(roles),
    namespaces: new Map(Object.entries(namespaces).map(([ns, own]) => [ns, new Set(own)])),
  };
}

function sha256(value: string | Uint8Array): Uint8Array {
  return createHash("sha256").update(value).digest();
}

function isSame(presented: Uint8Array, digest: string | undefined): boolean {
  return digest !== undefined && timingSafeEqual(presented, Buffer.from(digest, "hex"));
}
