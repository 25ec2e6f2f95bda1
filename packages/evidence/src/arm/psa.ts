// Judges PSA attestation tokens (RFC 9783, and the profile of the drafts before it): COSE_Sign1 by the key enrolled for the
// instance that the token names. A COSE_Mac0 is read, and never proven: whoever could check it could make it.
import { type Check, check, HoldfastError, notPerformed, toHex } from "@holdfast/core";
import { type Appraisal, appraisalOf } from "../appraisal.ts";
import { readCbor } from "../cbor/read.ts";
import { cborEntry, cborMap } from "../cbor/values.ts";
import { parseSign1, type Sign1 } from "../cose/sign1.ts";
import { malformed } from "../errors.ts";
import { expectationChecks, nonceCheck } from "../judge/bindings.ts";
import { authenticBy } from "../judge/outcome.ts";
import type { JudgeRequest } from "../judge/request.ts";
import { CRYPTOGRAPHY_FAILED, TRUST, trustVector } from "../trust-vector.ts";
import {
  ARM_CLAIM,
  type ArmComponent,
  bytesClaim,
  componentsClaim,
  instanceClaim,
  integerClaim,
  PSA_OLD_CLAIM,
  type PsaKeys,
  textClaim,
  unsignedClaim,
} from "./claims.ts";
import { keyOfInstance } from "./keys.ts";
import { isArmDebug, lifecycleCheck } from "./lifecycle.ts";
import { type ArmPolicy, armDemandChecks } from "./policy.ts";

/** How to judge a token of Arm. */
export interface ArmRequest extends JudgeRequest {
  readonly arm?: ArmPolicy;
}

/** What a PSA token says; byte strings are lower-case hexadecimal. */
export interface PsaClaims {
  readonly profile: string;
  readonly lifecycle: number;
  readonly instanceId: string;
  readonly implementationId: string;
  readonly nonce: string;
  readonly clientId?: number;
  readonly bootSeed?: string;
  readonly components: readonly ArmComponent[];
  readonly verificationService?: string;
  readonly debug: boolean;
}

/** Every check of a token, in the order of the result. */
export const PSA_CHECKS = [
  "psa.format",
  "psa.profile",
  "psa.key",
  "psa.signature",
  "psa.lifecycle",
  "psa.nonce",
] as const;

const OLD_PROFILE = "PSA_IOT_PROFILE_1";
const PROFILES: ReadonlySet<string> = new Set([
  OLD_PROFILE,
  "http://arm.com/psa/2.0.0",
  "tag:psacertified.org,2023:psa#tfm",
  "tag:psacertified.org,2019:psa#legacy",
]);
/** First bytes: tag 17, tag 18, an array of four. */
const MAC0_TAG = 0xd1;
const SIGN1_TAG = 0xd2;
const ARRAY_OF_4 = 0x84;
const AUTHENTICITY: ReadonlySet<string> = new Set(["psa.profile", "psa.key", "psa.signature"]);

/** Judges a token; unreadable bytes are a refusal too. */
export async function verifyPsa(
  input: Uint8Array,
  request: ArmRequest,
): Promise<Appraisal<PsaClaims>> {
  let token: PsaToken;
  try {
    token = parsePsaToken(input);
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return refusedFormat("psa", PSA_CHECKS, thrown.message, request);
  }
  const { claims, isMac } = token;
  const made: Check[] = [
    check("psa.format", true, `COSE_${isMac ? "Mac0" : "Sign1"} over a map of claims`),
    check("psa.profile", PROFILES.has(claims.profile), `profile ${claims.profile}`),
    ...(await keyChecks(token, request)),
    lifecycleCheck("psa.lifecycle", claims.lifecycle, request.allowDebug ?? false),
    nonceCheck("psa.nonce", Uint8Array.fromHex(claims.nonce), request.nonce),
    ...noReportData("psa", request),
    ...armDemandChecks("psa", claims, request.arm ?? {}),
  ];
  return armAppraisal("psa", made, authenticBy(made, AUTHENTICITY) ? claims : undefined, request);
}

async function keyChecks(
  { message, claims: { instanceId }, isMac }: PsaToken,
  { endorsements, crypto }: ArmRequest,
): Promise<Check[]> {
  const open = (why: string): Check[] =>
    ["psa.key", "psa.signature"].map((name) => notPerformed(name, why));
  if (isMac) return open("a MAC proves nothing to who does not share the instance's secret");
  const { key, signed } = await keyOfInstance(message, instanceId, endorsements, crypto);
  if (key === undefined) return open(`no key was enrolled for instance ${instanceId}`);
  return [
    check("psa.key", true, `a key was enrolled for instance ${instanceId}`),
    check("psa.signature", signed, signed ? "the instance's key signed" : "signature is wrong"),
  ];
}

/** A token, read but not verified. */
export interface PsaToken {
  readonly message: Sign1;
  readonly claims: PsaClaims;
  readonly isMac: boolean;
}

/**
 * Reads a token.
 * @throws EncodingError, EvidenceError
 */
export function parsePsaToken(input: Uint8Array): PsaToken {
  const isMac = input[0] === MAC0_TAG;
  const message = parseSign1(isMac ? input.subarray(1) : input);
  return { message, claims: parsePsaClaims(message), isMac };
}

/** Whether a message's payload has the claims that every token has. */
export function isPsa(input: Uint8Array): boolean {
  if (input[0] !== SIGN1_TAG && input[0] !== MAC0_TAG && input[0] !== ARRAY_OF_4) return false;
  try {
    const claims = readCbor(parseSign1(input[0] === MAC0_TAG ? input.subarray(1) : input).payload);
    if (claims.kind !== "map") return false;
    return [ARM_CLAIM, PSA_OLD_CLAIM].some(({ lifecycle, implementationId }) =>
      [lifecycle, implementationId].every((key) => cborEntry(claims, key) !== undefined),
    );
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return false;
  }
}

/** What a token says, as it stands. */
function parsePsaClaims({ payload }: Sign1): PsaClaims {
  const map = cborMap(readCbor(payload), "claims");
  const isOld = cborEntry(map, PSA_OLD_CLAIM.lifecycle) !== undefined;
  const keys: PsaKeys = isOld ? PSA_OLD_CLAIM : ARM_CLAIM;
  const lifecycle = unsignedClaim(map, keys.lifecycle);
  const clientId = integerClaim(map, keys.clientId);
  const service = textClaim(map, keys.verificationService);
  const bootSeed =
    cborEntry(map, keys.bootSeed) === undefined
      ? {}
      : { bootSeed: toHex(bytesClaim(map, keys.bootSeed, 8, 32)) };
  const profile = textClaim(map, keys.profile) ?? (isOld ? OLD_PROFILE : undefined);
  if (profile === undefined) throw malformed("claims: profile is missing");
  const unmeasured = isOld && cborEntry(map, PSA_OLD_CLAIM.noComponents) !== undefined;
  return {
    profile,
    lifecycle,
    instanceId: instanceClaim(map, keys.instanceId),
    implementationId: toHex(bytesClaim(map, keys.implementationId, 32, 32)),
    nonce: toHex(bytesClaim(map, keys.nonce, 32, 64)),
    ...(clientId === undefined ? {} : { clientId }),
    ...bootSeed,
    components: unmeasured ? [] : componentsClaim(map, keys.components),
    ...(service === undefined ? {} : { verificationService: service }),
    debug: isArmDebug(lifecycle),
  };
}

/** Tokens of Arm carry a challenge; asking for report data must not pass silently. */
export function noReportData(area: string, request: JudgeRequest): Check[] {
  return request.reportData === undefined
    ? []
    : [check(`${area}.report-data`, false, "this token has no report data: ask for a nonce")];
}

/** The appraisal of a token. */
export function armAppraisal<Claims extends { readonly debug: boolean }>(
  type: "psa" | "cca",
  made: readonly Check[],
  claims: Claims | undefined,
  request: ArmRequest,
): Appraisal<Claims> {
  const checks = [...made, ...expectationChecks(claims, request.expect)];
  const measured = checks.find(({ name }) => name === `${type}.components`)?.outcome;
  const vector = trustVector({
    instanceIdentity: TRUST.instanceTrustworthy,
    hardware: TRUST.hardwareGenuine,
    configuration: claims?.debug ? TRUST.configurationUnsupportable : TRUST.configurationApproved,
    executables:
      measured === undefined
        ? TRUST.executablesUnrecognised
        : measured === "passed"
          ? TRUST.executablesApproved
          : TRUST.executablesContraindicated,
  });
  return appraisalOf<Claims>({
    type,
    platform: claims === undefined ? "unknown" : `arm-${type}`,
    simulated: false,
    checks,
    waived: [...(request.nonce === undefined ? [`${type}.nonce`] : []), ...(request.waive ?? [])],
    at: request.at,
    debug: claims?.debug,
    claims,
    trustVector: claims === undefined ? CRYPTOGRAPHY_FAILED : vector,
  });
}

/** The refusal of a token that can't be read. */
export function refusedFormat<Claims extends object>(
  type: string,
  [first = `${type}.format`, ...rest]: readonly string[],
  why: string,
  request: JudgeRequest,
): Appraisal<Claims> {
  return appraisalOf<Claims>({
    type,
    platform: "unknown",
    simulated: false,
    checks: [
      check(first, false, why),
      ...rest.map((name) => notPerformed(name, "the token can't be read")),
    ],
    at: request.at,
    trustVector: CRYPTOGRAPHY_FAILED,
  });
}
