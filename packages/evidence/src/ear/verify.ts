// Judges attestation results of other verifiers by keys that the caller enrolled: who signed, when, for whom, and whether
// every submodule was affirmed. That the other verifier judged well is what enrolling its key says.
import {
  type Check,
  check,
  type DigestName,
  HoldfastError,
  notPerformed,
  type PublicKeyKind,
  type SignatureScheme,
  toBase64Url,
  toHex,
} from "@holdfast/core";
import { type Appraisal, appraisalOf } from "../appraisal.ts";
import { refusedFormat } from "../arm/psa.ts";
import type { TrustedKey } from "../endorsements/trusted-key.ts";
import { expectationChecks } from "../judge/bindings.ts";
import { authenticBy } from "../judge/outcome.ts";
import type { JudgeRequest } from "../judge/request.ts";
import { CRYPTOGRAPHY_FAILED, NO_CLAIMS, type TrustTier, trustTier } from "../trust-vector.ts";
import { type EarToken, parseEarToken } from "./token.ts";

/** What a token says; times are seconds since 1970. */
export interface EarTokenClaims {
  readonly eat_profile: string;
  readonly iat: number;
  readonly exp?: number;
  readonly iss?: string;
  readonly nonces: readonly string[];
  readonly verifierDeveloper?: string;
  readonly verifierBuild?: string;
  /** Names of the submodules. */
  readonly submods: readonly string[];
  /** Status of each submodule. */
  readonly statuses: Readonly<Record<string, TrustTier>>;
}

/** Every check of a token, in the order of the result. */
export const EAR_CHECKS = [
  "ear.format",
  "ear.key",
  "ear.signature",
  "ear.profile",
  "ear.verifier",
  "ear.issued",
  "ear.expiry",
  "ear.vector",
  "ear.status",
  "ear.nonce",
] as const;

const AUTHENTICITY: ReadonlySet<string> = new Set(["ear.key", "ear.signature", "ear.profile"]);
const PROFILES =
  /^tag:(?:ietf\.org,20\d\d(?:-\d\d)*:rats\/ear#\d{2}|github\.com,2023:veraison\/ear)$/;
/** How far the clocks of two machines may differ, in seconds. */
const LEEWAY = 60;
const MAXIMUM_KEYS = 16;
const TIERS: readonly TrustTier[] = ["none", "affirming", "warning", "contraindicated"];

/** Judges a token; unreadable bytes are a refusal too. */
export async function verifyEar(
  input: Uint8Array,
  request: JudgeRequest,
): Promise<Appraisal<EarTokenClaims>> {
  let token: EarToken;
  try {
    token = parseEarToken(input);
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return refusedFormat("ear", EAR_CHECKS, thrown.message, request);
  }
  const made = [
    check("ear.format", true, `${token.results.size} submodules`),
    ...(await signatureChecks(token, request)),
    check("ear.profile", PROFILES.test(token.profile), `profile ${token.profile}`),
    check(
      "ear.verifier",
      token.verifier !== undefined,
      token.verifier === undefined
        ? "names no verifier"
        : `verifier of ${token.verifier.developer}, build ${token.verifier.build}`,
    ),
    ...timeChecks(token, request.at),
    vectorCheck(token),
    statusCheck(token),
    nonceCheck(token, request.nonce),
    ...(request.reportData === undefined
      ? []
      : [check("ear.report-data", false, "a token has no report data: ask for a nonce")]),
  ];
  const authentic = authenticBy(made, AUTHENTICITY);
  const claims = authentic ? earTokenClaims(token) : undefined;
  return appraisalOf<EarTokenClaims>({
    type: "ear",
    platform: authentic ? "attestation-result" : "unknown",
    simulated: false,
    checks: [...made, ...expectationChecks(claims, request.expect)],
    waived: [...(request.nonce === undefined ? ["ear.nonce"] : []), ...(request.waive ?? [])],
    at: request.at,
    claims,
    trustVector: authentic ? NO_CLAIMS : CRYPTOGRAPHY_FAILED,
    validFrom: instant(token.notBefore ?? token.issuedAt),
    validUntil: token.expiresAt === undefined ? undefined : instant(token.expiresAt),
  });
}

/** What a token says, as it stands. */
export function earTokenClaims(token: EarToken): EarTokenClaims {
  const { profile, issuedAt, expiresAt, issuer, nonces, verifier, results } = token;
  return {
    eat_profile: profile,
    iat: issuedAt,
    ...(expiresAt === undefined ? {} : { exp: expiresAt }),
    ...(issuer === undefined ? {} : { iss: issuer }),
    nonces,
    ...(verifier === undefined
      ? {}
      : { verifierDeveloper: verifier.developer, verifierBuild: verifier.build }),
    submods: [...results.keys()],
    statuses: Object.fromEntries([...results].map(([name, { status }]) => [name, status])),
  };
}

/** The key by its name where the token names one that is enrolled; else any that is enrolled. */
async function signatureChecks(token: EarToken, request: JudgeRequest): Promise<Check[]> {
  const { keys } = request.endorsements;
  if (keys.length === 0) {
    const why = "no key of a verifier was enrolled";
    return [notPerformed("ear.key", why), notPerformed("ear.signature", why)];
  }
  const named = keys.filter(({ name }) => name !== undefined && name === token.keyId);
  const candidates = (named.length > 0 ? named : keys).slice(0, MAXIMUM_KEYS);
  const fitting = candidates.filter(({ key }) => schemeOf(token.algorithm, key) !== undefined);
  const fits = fitting.length > 0;
  const signed = fits && (await isSignedByOne(token, fitting, request));
  return [
    check(
      "ear.key",
      fits,
      fits
        ? "a key for the token's algorithm was enrolled"
        : `algorithm ${token.algorithm} fits no key that was enrolled`,
    ),
    check(
      "ear.signature",
      signed,
      signed ? "an enrolled key signed" : "no enrolled key signed this",
    ),
  ];
}

async function isSignedByOne(
  { algorithm, signature, signedBytes }: EarToken,
  keys: readonly TrustedKey[],
  { crypto }: JudgeRequest,
): Promise<boolean> {
  for (const { spki, key } of keys) {
    const scheme = schemeOf(algorithm, key);
    if (scheme !== undefined && (await crypto.verify(scheme, spki, signature, signedBytes))) {
      return true;
    }
  }
  return false;
}

const ECDSA: Readonly<Record<string, SignatureScheme & { readonly kind: "ecdsa" }>> = {
  ES256: { kind: "ecdsa", curve: "P-256", hash: "SHA-256" },
  ES384: { kind: "ecdsa", curve: "P-384", hash: "SHA-384" },
  ES512: { kind: "ecdsa", curve: "P-521", hash: "SHA-512" },
};
const RSA: Readonly<Record<string, readonly [DigestName, number]>> = {
  PS256: ["SHA-256", 32],
  PS384: ["SHA-384", 48],
  PS512: ["SHA-512", 64],
};

/** The scheme of an algorithm for a key; `none`, MACs and what does not fit the key have none. */
function schemeOf(algorithm: string, key: PublicKeyKind): SignatureScheme | undefined {
  const ecdsa = Object.hasOwn(ECDSA, algorithm) ? ECDSA[algorithm] : undefined;
  if (ecdsa !== undefined) {
    return key.kind === "ec" && key.curve === ecdsa.curve ? ecdsa : undefined;
  }
  if (key.kind !== "rsa" || key.bits < 2048 || !Object.hasOwn(RSA, algorithm)) return undefined;
  const [hash, saltLength] = RSA[algorithm] ?? ["SHA-256", 32];
  return { kind: "rsa-pss", hash, saltLength };
}

function timeChecks({ issuedAt, notBefore, expiresAt }: EarToken, at: Date): Check[] {
  const now = at.getTime() / 1000;
  const begins = Math.max(issuedAt, notBefore ?? 0);
  const issued = begins <= now + LEEWAY;
  return [
    check("ear.issued", issued, `issued at ${instant(issuedAt)?.toISOString()}`),
    expiresAt === undefined
      ? notPerformed("ear.expiry", "the token never ends: say whether it is recent enough")
      : check("ear.expiry", now < expiresAt, `good until ${instant(expiresAt)?.toISOString()}`),
  ];
}

/** A status no better than what it was made of. */
function vectorCheck({ results }: EarToken): Check {
  const better = [...results].find(([, { status, vector }]) => {
    const worst = Math.max(
      0,
      ...Object.values(vector).map((value) => TIERS.indexOf(trustTier(value))),
    );
    return worst > TIERS.indexOf(status) && status !== "none";
  });
  return check(
    "ear.vector",
    better === undefined,
    better === undefined
      ? "each status is no better than its vector"
      : `${better[0]} is called ${better[1].status}, but its vector is worse`,
  );
}

function statusCheck({ results }: EarToken): Check {
  const name = "ear.status";
  const told = [...results].map(([submodule, { status }]) => `${submodule} ${status}`).join(", ");
  const statuses = [...results.values()].map(({ status }) => status);
  if (statuses.some((status) => status === "warning" || status === "contraindicated")) {
    return check(name, false, told);
  }
  return statuses.includes("none") ? notPerformed(name, told) : check(name, true, told);
}

/** Nonces are text in tokens: of bytes it is base64url, or the text itself. */
function nonceCheck({ nonces }: EarToken, wanted: Uint8Array | undefined): Check {
  const name = "ear.nonce";
  if (wanted === undefined) return notPerformed(name, "no nonce was asked for");
  const forms = [toBase64Url(wanted), new TextDecoder().decode(wanted)];
  const found = nonces.some((nonce) => forms.includes(nonce));
  return check(
    name,
    found,
    found
      ? "carries the nonce asked for"
      : `${nonces.join(", ") || "no nonce"}, ${toHex(wanted)} expected`,
  );
}

function instant(seconds: number): Date | undefined {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
