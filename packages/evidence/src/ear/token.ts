// Attestation results of other verifiers: EAR as a JSON Web Token, under the draft's names or under the dotted ones before
// them (draft-ietf-rats-ear, RFC 7519). Bounded before it is parsed; nothing of it is trusted.
import { fromBase64Url, HoldfastError, toText } from "@holdfast/core";
import { malformed } from "../errors.ts";
import { asObject, type JsonObject, jsonObject } from "../json/members.ts";
import { type TrustTier, trustTier } from "../trust-vector.ts";

/** What one submodule's appraisal came to. */
export interface EarResult {
  readonly status: TrustTier;
  /** Values of the trustworthiness vector, by the draft's names. */
  readonly vector: Readonly<Record<string, number>>;
}

/** A token, read but not verified. */
export interface EarToken {
  readonly algorithm: string;
  readonly keyId: string | undefined;
  /** What the signature is over. */
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly profile: string;
  readonly issuer: string | undefined;
  readonly issuedAt: number;
  readonly expiresAt: number | undefined;
  readonly notBefore: number | undefined;
  readonly nonces: readonly string[];
  readonly verifier: { readonly developer: string; readonly build: string } | undefined;
  readonly results: ReadonlyMap<string, EarResult>;
}

/** The longest token read, in characters. */
export const MAXIMUM_TOKEN: number = 256 * 1024;
const MAXIMUM_SUBMODULES = 64;
const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)$/;
const STATUSES: Readonly<Record<string, TrustTier>> = {
  none: "none",
  affirming: "affirming",
  warning: "warning",
  contraindicated: "contraindicated",
};

/** Whether bytes are a token about an appraisal. */
export function isEarToken(bytes: Uint8Array): boolean {
  if (bytes.length > MAXIMUM_TOKEN) return false;
  try {
    const { payload } = parts(toText(bytes).trim());
    return payload["eat_profile"] !== undefined || payload["submods"] !== undefined;
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return false;
  }
}

/**
 * Reads a token.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function parseEarToken(bytes: Uint8Array): EarToken {
  if (bytes.length > MAXIMUM_TOKEN) throw malformed(`token of ${bytes.length} bytes`);
  const { header, payload, signedText, signature } = parts(toText(bytes).trim());
  // An extension that must be understood is not (RFC 7515 section 4.1.11).
  if (header["crit"] !== undefined) throw malformed("token: critical header members");
  const verifier = payload["ear_verifier_id"] ?? payload["ear.verifier-id"];
  return {
    algorithm: text(header["alg"], "alg"),
    keyId: optionalText(header["kid"], "kid"),
    signedBytes: new TextEncoder().encode(signedText),
    signature,
    profile: text(payload["eat_profile"], "eat_profile"),
    issuer: optionalText(payload["iss"], "iss"),
    issuedAt: seconds(payload["iat"], "iat"),
    expiresAt: optionalSeconds(payload["exp"], "exp"),
    notBefore: optionalSeconds(payload["nbf"], "nbf"),
    nonces: noncesOf(payload["eat_nonce"]),
    verifier: verifier === undefined ? undefined : verifierOf(asObject(verifier, "verifier id")),
    results: resultsOf(payload["submods"]),
  };
}

function parts(token: string): {
  header: JsonObject;
  payload: JsonObject;
  signedText: string;
  signature: Uint8Array;
} {
  const [, header, payload, signature] = COMPACT.exec(token) ?? [];
  if (header === undefined || payload === undefined || signature === undefined) {
    throw malformed("token: three parts of base64url expected");
  }
  return {
    header: jsonObject(toText(fromBase64Url(header))),
    payload: jsonObject(toText(fromBase64Url(payload))),
    signedText: `${header}.${payload}`,
    signature: fromBase64Url(signature),
  };
}

function resultsOf(submods: unknown): ReadonlyMap<string, EarResult> {
  const entries = Object.entries(asObject(submods, "submods"));
  if (entries.length === 0 || entries.length > MAXIMUM_SUBMODULES) {
    throw malformed(`submods: ${entries.length} members, 1 to ${MAXIMUM_SUBMODULES} expected`);
  }
  return new Map(
    entries.map(([name, value]) => {
      const submodule = asObject(value, `submods.${name}`);
      const status = submodule["ear_status"] ?? submodule["ear.status"];
      const vector =
        submodule["ear_trustworthiness_vector"] ?? submodule["ear.trustworthiness-vector"] ?? {};
      return [name, { status: statusOf(status), vector: vectorOf(asObject(vector, "vector")) }];
    }),
  );
}

function statusOf(status: unknown): TrustTier {
  if (typeof status === "string" && Object.hasOwn(STATUSES, status)) {
    return STATUSES[status] ?? "none";
  }
  if (isInt8(status)) return trustTier(status);
  throw malformed("a submodule without status");
}

function vectorOf(vector: JsonObject): Record<string, number> {
  for (const [name, value] of Object.entries(vector)) {
    if (!isInt8(value)) throw malformed(`vector: ${name} is no signed byte`);
  }
  return vector as Record<string, number>;
}

function isInt8(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= -128 && value <= 127;
}

function verifierOf(id: JsonObject): { developer: string; build: string } {
  return { developer: text(id["developer"], "developer"), build: text(id["build"], "build") };
}

function noncesOf(value: unknown): string[] {
  const nonces = Array.isArray(value) ? value : value === undefined ? [] : [value];
  if (nonces.length > MAXIMUM_SUBMODULES) throw malformed("too many nonces");
  return nonces.map((each) => text(each, "eat_nonce"));
}

function optionalText(value: unknown, name: string): string | undefined {
  return value === undefined ? undefined : text(value, name);
}

function text(value: unknown, name: string): string {
  if (typeof value === "string" && value.length > 0 && value.length <= 1024) return value;
  throw malformed(`token: ${name} of 1 to 1024 characters expected`);
}

function optionalSeconds(value: unknown, name: string): number | undefined {
  return value === undefined ? undefined : seconds(value, name);
}

/** A time that a date can hold. */
function seconds(value: unknown, name: string): number {
  if (typeof value === "number" && value >= 0 && value <= 8.64e12) return value;
  throw malformed(`token: ${name} is no time`);
}
