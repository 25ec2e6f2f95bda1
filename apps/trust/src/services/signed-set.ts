// Sets of reference values signed by whoever answers for them (a build system, a vendor), so that the administrator's
// token alone can't approve an image. Compact JWS (RFC 7515); the algorithm follows from the configured key, never from
// the header.
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { ReferenceSetResource } from "@holdfast/contract";
import { fromBase64Url, fromText, HoldfastError, toText } from "@holdfast/core";
import { Value } from "typebox/value";
import { TrustError } from "../errors.ts";

/** A key that sets may be signed with. */
export interface SetSigner {
  readonly key: KeyObject;
  readonly algorithm: "ES256" | "ES384" | "EdDSA";
}

const HASH = { ES256: "sha256", ES384: "sha384", EdDSA: undefined } as const;
const CURVES: Readonly<Record<string, "ES256" | "ES384">> = {
  prime256v1: "ES256",
  secp384r1: "ES384",
};

/**
 * A signer of its public key, PEM.
 * @throws Error for a key of another kind than P-256, P-384 and Ed25519
 */
export function setSignerOf(pem: string): SetSigner {
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType === "ed25519") return { key, algorithm: "EdDSA" };
  const algorithm = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (algorithm === undefined) throw new Error("a key on P-256 or P-384, or Ed25519, is expected");
  return { key, algorithm };
}

/**
 * The set in a signed text, once one of the signers stands behind it.
 * @throws TrustError REQUEST_INVALID
 */
export function readSignedSet(jws: string, signers: readonly SetSigner[]): ReferenceSetResource {
  const [header = "", payload = "", signature = "", ...more] = jws.split(".");
  if (more.length > 0) throw invalid("three parts expected");
  const { alg, crit } = json(header, "header") as { alg?: unknown; crit?: unknown };
  // What an extension marked critical would change, nobody here knows.
  if (crit !== undefined) throw invalid("critical header parameters are not supported");
  const signed = fromText(`${header}.${payload}`);
  const bytes = decode(signature, "signature");
  const stands = signers.some(
    ({ key, algorithm }) =>
      algorithm === alg &&
      verify(HASH[algorithm], signed, { key, dsaEncoding: "ieee-p1363" }, bytes),
  );
  if (!stands) throw invalid("no configured key signed this");
  const set = json(payload, "payload");
  if (Value.Check(ReferenceSetResource, set)) return set;
  const [first] = Value.Errors(ReferenceSetResource, set);
  throw invalid(`payload${first?.instancePath ?? ""}: ${first?.message}`);
}

function json(part: string, what: string): unknown {
  try {
    const value: unknown = JSON.parse(toText(decode(part, what)));
    if (typeof value === "object" && value !== null) return value;
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError) && !(thrown instanceof HoldfastError)) throw thrown;
  }
  throw invalid(`${what} is no JSON object`);
}

function decode(part: string, what: string): Uint8Array {
  try {
    return fromBase64Url(part);
  } catch (cause) {
    throw new TrustError("REQUEST_INVALID", `signed set: ${what} is not base64url`, { cause });
  }
}

function invalid(fault: string): TrustError {
  return new TrustError("REQUEST_INVALID", `signed set: ${fault}`);
}
