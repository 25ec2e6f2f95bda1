// Judges PSA attestation tokens (RFC 9783): COSE_Sign1 by the key enrolled for the instance that the token names.
import { type Check, check, HoldfastError, notPerformed, toHex } from "@holdfast/core";
import { type Appraisal, appraisalOf } from "../appraisal.ts";
import { readCbor } from "../cbor/read.ts";
import { cborMap } from "../cbor/values.ts";
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

const PROFILES: ReadonlySet<string> = new Set([
  "http://arm.com/psa/2.0.0",
  "tag:psacertified.org,2023:psa#tfm",
]);
const AUTHENTICITY: ReadonlySet<string> = new Set(["psa.profile", "psa.key", "psa.signature"]);

/** Judges a token; unreadable bytes are a refusal too. */
export async function verifyPsa(
  input: Uint8Array,
  request: ArmRequest,
): Promise<Appraisal<PsaClaims>> {
  let token: Sign1;
  let claims: PsaClaims;
  try {
    token = parseSign1(input);
    claims = parsePsaClaims(token);
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return refusedFormat("psa", PSA_CHECKS, thrown.message, request);
  }
  const { key, signed } = await keyOfInstance(
    token,
    claims.instanceId,
    request.endorsements,
    request.crypto,
  );
  const made: Check[] = [
    check("psa.format", true, "COSE_Sign1 over a map of claims"),
    check("psa.profile", PROFILES.has(claims.profile), `profile ${claims.profile}`),
    key === undefined
      ? notPerformed("psa.key", `no key was enrolled for instance ${claims.instanceId}`)
      : check("psa.key", true, `a key was enrolled for instance ${claims.instanceId}`),
    key === undefined
      ? notPerformed("psa.signature", "no key is known")
      : check("psa.signature", signed, signed ? "the instance's key signed" : "signature is wrong"),
    lifecycleCheck("psa.lifecycle", claims.lifecycle, request.allowDebug ?? false),
    nonceCheck("psa.nonce", Uint8Array.fromHex(claims.nonce), request.nonce),
    ...noReportData("psa", request),
    ...armDemandChecks("psa", claims, request.arm ?? {}),
  ];
  return armAppraisal("psa", made, authenticBy(made, AUTHENTICITY) ? claims : undefined, request);
}

/** What a token says, as it stands. */
export function parsePsaClaims(token: Sign1): PsaClaims {
  const map = cborMap(readCbor(token.payload), "claims");
  const lifecycle = unsignedClaim(map, ARM_CLAIM.lifecycle);
  const clientId = integerClaim(map, ARM_CLAIM.clientId);
  const service = textClaim(map, ARM_CLAIM.verificationService);
  const bootSeed = map.entries.some(([key]) => key.kind === "integer" && key.value === 2397n)
    ? { bootSeed: toHex(bytesClaim(map, ARM_CLAIM.bootSeed, 8, 32)) }
    : {};
  const profile = textClaim(map, ARM_CLAIM.profile);
  if (profile === undefined) throw malformed("claims: profile is missing");
  return {
    profile,
    lifecycle,
    instanceId: instanceClaim(map),
    implementationId: toHex(bytesClaim(map, ARM_CLAIM.implementationId, 32, 32)),
    nonce: toHex(bytesClaim(map, ARM_CLAIM.nonce, 32, 64)),
    ...(clientId === undefined ? {} : { clientId }),
    ...bootSeed,
    components: componentsClaim(map),
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
