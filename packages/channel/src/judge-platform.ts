// What evidence proves of the platform below a keep: that it is authentic, fresh and bound to what the keep asks for, and
// what was measured there. Requests for certificates and for keys rest on this alike.
import { type Certificate, type Check, type CryptoPort, check, notPerformed } from "@holdfast/core";
import {
  type Appraisal,
  NITRO_CHECKS,
  type NitroClaims,
  nitroMeasurement,
  verifyNitro,
} from "@holdfast/evidence";
import type { Platform } from "./keep-certificate.ts";

/** Evidence, and what it is judged against. */
export interface PlatformProof {
  readonly evidence: Uint8Array;
  /** What the evidence must carry as its nonce. */
  readonly nonce: Uint8Array;
  /** Roots of evidence that are trusted. */
  readonly anchors: readonly Certificate[];
  readonly at: Date;
  readonly crypto: CryptoPort;
  /** How old the evidence may be, in milliseconds. */
  readonly maximumAge: number;
}

/** What was proven. */
export interface ProvenPlatform {
  readonly platform: Platform;
  /** Lower-case hexadecimal, 64 digits. */
  readonly measurement: string;
}

/** The outcome: every check, and what was proven when all that count passed. */
export interface PlatformVerdict {
  readonly checks: readonly Check[];
  readonly proven: ProvenPlatform | undefined;
  /** What authentic evidence, bound to the request and the nonce, says; proven or not: it may be too old, say. */
  readonly bound: ProvenPlatform | undefined;
  /** What the evidence says; undefined unless it is authentic. */
  readonly claims: NitroClaims | undefined;
}

const MEASUREMENT_CHECK = "measurement.present";
const BINDINGS = ["nitro.nonce", "nitro.user-data"] as const;

/** The checks of the platform, in order. */
export const PLATFORM_CHECKS: readonly string[] = [...NITRO_CHECKS, MEASUREMENT_CHECK];

/**
 * Judges evidence. Never throws for bad evidence.
 * @param requestDigest SHA-256 of the request that the evidence must be bound to
 */
export async function judgePlatform(
  { evidence, nonce, anchors, at, crypto, maximumAge }: PlatformProof,
  requestDigest: Uint8Array,
): Promise<PlatformVerdict> {
  const appraisal = await verifyNitro(evidence, {
    nonce,
    anchors,
    at,
    crypto,
    maximumAge,
    userData: requestDigest,
    // Which measurement is the right one is for others to say; here it is established.
    pcrs: "waived",
  });
  const { claims } = appraisal;
  const measurement = claims && nitroMeasurement(claims);
  const checks = [...appraisal.checks, measurementCheck(claims, measurement)];
  const platform = platformOf(appraisal);
  const bound =
    platform === undefined || measurement === undefined || !isBound(checks)
      ? undefined
      : { platform, measurement };
  return { checks, proven: appraisal.verdict === "affirmed" ? bound : undefined, bound, claims };
}

function isBound(checks: readonly Check[]): boolean {
  return BINDINGS.every((name) =>
    checks.some((each) => each.name === name && each.outcome === "passed"),
  );
}

function measurementCheck(claims: NitroClaims | undefined, measurement: string | undefined): Check {
  if (claims === undefined) return notPerformed(MEASUREMENT_CHECK, "the evidence proves nothing");
  return check(
    MEASUREMENT_CHECK,
    measurement !== undefined,
    measurement ?? "PCR0 is zero or absent: nothing was measured",
  );
}

/** The platform of authentic evidence; others are not known. */
function platformOf({ platform }: Appraisal): Platform | undefined {
  return platform === "aws-nitro" || platform === "simulated-nitro" ? platform : undefined;
}
