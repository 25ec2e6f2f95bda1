// Judges TPM 2.0 quotes. The attestation key is trusted because the caller enrolled it, by key or by name, never because it
// came with the evidence.
import { type Check, check, equalBytes, notPerformed, toHex } from "@holdfast/core";
import { type Appraisal, appraisalOf } from "../appraisal.ts";
import type { TrustedKey } from "../endorsements/trusted-key.ts";
import { EvidenceError } from "../errors.ts";
import { expectationChecks, nonceCheck } from "../judge/bindings.ts";
import { authenticBy } from "../judge/outcome.ts";
import type { JudgeRequest } from "../judge/request.ts";
import { CRYPTOGRAPHY_FAILED, TRUST, trustVector } from "../trust-vector.ts";
import { parseTpmQuote, type TpmQuote } from "./attest.ts";
import {
  attributesCheck,
  pcrDigestCheck,
  provenPcrs,
  selectionCheck,
  tpmSignatureCheck,
} from "./checks.ts";
import type { TpmEvidence } from "./evidence.ts";
import { nameOf } from "./public-area.ts";

/** Demands of a relying party on a TPM quote. */
export interface TpmPolicy {
  /** Names of enrolled attestation keys, in hexadecimal. */
  readonly akNames?: readonly string[];
  /** PCRs that must be quoted. */
  readonly requiredPcrs?: readonly number[];
}

/** How to judge a quote. */
export interface TpmRequest extends JudgeRequest {
  readonly tpm?: TpmPolicy;
}

/** What a quote proves. */
export interface TpmClaims {
  readonly nonce: string;
  /** The nonce again, under the name of its field. */
  readonly qualifyingData: string;
  readonly akName?: string;
  /** Values of quoted PCRs that were extended, by index: of the SHA-256 bank, or else of the first. */
  readonly pcrs: Readonly<Record<string, string>>;
  /** The same for every bank. */
  readonly pcrBanks: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Bitmap of the first bank. */
  readonly pcrSelection: string;
  readonly resetCount: number;
  readonly restartCount: number;
  readonly clockSafe: boolean;
  readonly firmwareVersion: string;
}

/** Every check of a quote, in the order of the result. */
export const TPM_CHECKS = [
  "tpm.format",
  "tpm.ak",
  "tpm.ak-attributes",
  "tpm.signature",
  "tpm.selection",
  "tpm.pcr-digest",
  "tpm.nonce",
] as const;

const AUTHENTICITY: ReadonlySet<string> = new Set([
  "tpm.ak",
  "tpm.ak-attributes",
  "tpm.signature",
  "tpm.selection",
  "tpm.pcr-digest",
]);

/** A quote with its checks; `claims` are there only when it is authentic. */
export interface JudgedTpm {
  readonly checks: readonly Check[];
  readonly claims: TpmClaims | undefined;
}

/** Judges the evidence of a TPM on its own. */
export async function verifyTpm(
  evidence: TpmEvidence,
  request: TpmRequest,
): Promise<Appraisal<TpmClaims>> {
  const { checks, claims } = await judgeTpm(evidence, request);
  const userData =
    request.reportData === undefined
      ? []
      : [check("tpm.report-data", false, "a TPM quote has no report data: ask for a nonce")];
  const expectations = expectationChecks(claims, request.expect);
  const vector = trustVector({
    instanceIdentity: TRUST.instanceTrustworthy,
    executables: TRUST.executablesUnrecognised,
  });
  return appraisalOf<TpmClaims>({
    type: "tpm",
    platform: claims === undefined ? "unknown" : "tpm",
    simulated: false,
    checks: [...checks, ...userData, ...expectations],
    waived: [...(request.nonce === undefined ? ["tpm.nonce"] : []), ...(request.waive ?? [])],
    at: request.at,
    debug: claims === undefined ? undefined : false,
    claims,
    trustVector: claims === undefined ? CRYPTOGRAPHY_FAILED : vector,
  });
}

/**
 * Judges a quote, also as a part of other evidence.
 * @param vouched a key that other evidence, already judged, vouches for
 */
export async function judgeTpm(
  evidence: TpmEvidence,
  request: TpmRequest,
  vouched?: TrustedKey,
): Promise<JudgedTpm> {
  let quote: TpmQuote;
  try {
    quote = parseTpmQuote(evidence.quote);
  } catch (thrown) {
    if (!(thrown instanceof EvidenceError)) throw thrown;
    const [first, ...rest] = TPM_CHECKS;
    const why = "the quote can't be read";
    return {
      checks: [check(first, false, thrown.message), ...rest.map((name) => notPerformed(name, why))],
      claims: undefined,
    };
  }
  const { area, signature, pcrs } = evidence;
  const name = area === undefined ? undefined : toHex(await nameOf(area, request.crypto));
  const key = area?.key ?? evidence.key ?? vouched ?? signingKeyOf(request);
  const trust = keyCheck(key, name, request, vouched);
  const enrolled = trust.outcome === "passed";
  const checks = [
    check("tpm.format", true, "a quote made inside a TPM"),
    trust,
    attributesCheck(area, enrolled),
    await tpmSignatureCheck(quote, signature, key, request.crypto),
    selectionCheck(quote, request.tpm?.requiredPcrs ?? []),
    await pcrDigestCheck(quote, pcrs, signature, request.crypto),
    nonceCheck("tpm.nonce", quote.extraData, request.nonce),
  ];
  const authentic = authenticBy(checks, AUTHENTICITY);
  return { checks, claims: authentic ? tpmClaims(quote, pcrs, name) : undefined };
}

/** Evidence that names no key is by the one key that was enrolled, if it is one. */
function signingKeyOf({ endorsements }: TpmRequest): TrustedKey | undefined {
  return endorsements.keys.length === 1 ? endorsements.keys[0] : undefined;
}

function keyCheck(
  key: TrustedKey | undefined,
  name: string | undefined,
  request: TpmRequest,
  vouched: TrustedKey | undefined,
): Check {
  const id = "tpm.ak";
  if (key === undefined) return notPerformed(id, "no attestation key is known");
  const same = ({ spki }: TrustedKey): boolean => equalBytes(spki, key.spki);
  if (vouched !== undefined) {
    return check(id, same(vouched), "the key that the platform's evidence vouches for");
  }
  const names = [...(request.tpm?.akNames ?? []), ...(request.expect?.get("akName") ?? [])];
  const { keys } = request.endorsements;
  if (names.length === 0 && keys.length === 0) {
    return notPerformed(id, "no attestation key was enrolled, by key or by name");
  }
  const byName = name !== undefined && names.some((each) => each.toLowerCase() === name);
  const enrolled = byName || keys.some(same);
  return check(
    id,
    enrolled,
    `attestation key ${name ?? "without a name"} ${enrolled ? "was enrolled" : "is not one of those enrolled"}`,
  );
}

/** What a quote says, as it stands. */
export function tpmClaims(
  quote: TpmQuote,
  values: TpmEvidence["pcrs"],
  akName: string | undefined,
): TpmClaims {
  const pcrBanks = provenPcrs(quote, values);
  const [first] = quote.selections;
  return {
    nonce: toHex(quote.extraData),
    qualifyingData: toHex(quote.extraData),
    ...(akName === undefined ? {} : { akName }),
    pcrs: pcrBanks["sha256"] ?? Object.values(pcrBanks)[0] ?? {},
    pcrBanks,
    pcrSelection: first === undefined ? "" : toHex(first.bitmap),
    resetCount: quote.resetCount,
    restartCount: quote.restartCount,
    clockSafe: quote.clockSafe,
    firmwareVersion: quote.firmwareVersion.toString(16).padStart(16, "0"),
  };
}
