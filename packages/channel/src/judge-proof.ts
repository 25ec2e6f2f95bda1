// What a keep proves when it asks for a certificate, or answers a client's nonce: a request signed by its TLS key, which
// names its policy, and evidence that carries the nonce and the hash of that very request. The attestation service, a
// client that checks a keep itself, and an audit of old decisions all judge by this.
import {
  type Certificate,
  type CertificationRequest,
  type Check,
  type CryptoPort,
  check,
  HoldfastError,
  isRequestSigned,
  notPerformed,
  parseCertificationRequest,
  toHex,
} from "@holdfast/core";
import {
  type Appraisal,
  allNotPerformed,
  NITRO_CHECKS,
  type NitroClaims,
  nitroMeasurement,
  verifyNitro,
} from "@holdfast/evidence";
import { type Platform, POLICY_HASH_OID } from "./keep-certificate.ts";

/** A proof, and what it is judged against. */
export interface ProofRequest {
  /** Certification request, DER. */
  readonly csr: Uint8Array;
  readonly evidence: Uint8Array;
  /** What the evidence must carry as its nonce. */
  readonly nonce: Uint8Array;
  /** Roots of evidence that are trusted. */
  readonly anchors: readonly Certificate[];
  readonly at: Date;
  readonly crypto: CryptoPort;
  /** How old the evidence may be, in milliseconds. */
  readonly maximumAge: number;
  /** Whether the request must name its policy, as keeps' requests do; runtimes of the Veracruz protocol don't. */
  readonly policyHashRequired: boolean;
}

/** What was proven about a keep. */
export interface ProvenKeep {
  readonly platform: Platform;
  /** SubjectPublicKeyInfo of the keep's TLS key, DER. */
  readonly spki: Uint8Array;
  /** Lower-case hexadecimal, 64 digits. */
  readonly measurement: string;
  /** The same; absent when the request names none and need not. */
  readonly policyHash: string | undefined;
}

/** The outcome: every check, and what was proven when all that count passed. */
export interface ProofVerdict {
  readonly checks: readonly Check[];
  readonly proven: ProvenKeep | undefined;
  /** What the evidence says; undefined unless it is authentic. */
  readonly claims: NitroClaims | undefined;
}

/** The checks of the request, in order. */
export const REQUEST_CHECKS = [
  "request.format",
  "request.signature",
  "request.key",
  "request.policy-hash",
] as const;

const MEASUREMENT_CHECK = "measurement.present";

/** Judges a proof. Never throws for a bad one. */
export async function judgeProof(proof: ProofRequest): Promise<ProofVerdict> {
  const { checks: requestChecks, request } = await judgeRequest(proof);
  if (request === undefined) {
    const rest = [...NITRO_CHECKS, MEASUREMENT_CHECK];
    return {
      checks: [...requestChecks, ...allNotPerformed(rest, "the request is not acceptable")],
      proven: undefined,
      claims: undefined,
    };
  }
  const appraisal = await verifyNitro(proof.evidence, {
    anchors: proof.anchors,
    at: proof.at,
    crypto: proof.crypto,
    nonce: proof.nonce,
    userData: await proof.crypto.digest("SHA-256", proof.csr),
    // Which measurement is the right one is the policy's to say; here it is established.
    pcrs: "waived",
    maximumAge: proof.maximumAge,
  });
  const measurement = appraisal.claims && nitroMeasurement(appraisal.claims);
  const checks = [
    ...requestChecks,
    ...appraisal.checks,
    measurementCheck(appraisal.claims, measurement),
  ];
  const platform = platformOf(appraisal);
  const failed = checks.some(({ outcome }) => outcome === "failed");
  if (failed || platform === undefined || measurement === undefined) {
    return { checks, proven: undefined, claims: appraisal.claims };
  }
  const hash = request.extensions.get(POLICY_HASH_OID)?.value;
  return {
    checks,
    proven: { platform, spki: request.spki, measurement, policyHash: hash && toHex(hash) },
    claims: appraisal.claims,
  };
}

async function judgeRequest({
  csr,
  policyHashRequired,
  crypto,
}: ProofRequest): Promise<{ checks: Check[]; request: CertificationRequest | undefined }> {
  let request: CertificationRequest;
  try {
    request = parseCertificationRequest(csr);
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    const [format, ...rest] = REQUEST_CHECKS;
    return {
      checks: [
        check(format, false, thrown.message),
        ...allNotPerformed(rest, "the request can't be read"),
      ],
      request: undefined,
    };
  }
  const { key, extensions } = request;
  const signed = await isRequestSigned(request, crypto);
  const hash = extensions.get(POLICY_HASH_OID)?.value;
  const checks = [
    check("request.format", true, "the request can be read"),
    check("request.signature", signed, signed ? "by the key it names" : "not by the key it names"),
    check(
      "request.key",
      key.kind === "ec" && key.curve !== "P-521",
      `${key.kind === "ec" ? key.curve : key.kind}; P-256 and P-384 are accepted`,
    ),
    check(
      "request.policy-hash",
      hash === undefined ? !policyHashRequired : hash.length === 32,
      hash === undefined ? "names no policy" : `names policy ${toHex(hash)}`,
    ),
  ];
  const acceptable = checks.every(({ outcome }) => outcome === "passed");
  return { checks, request: acceptable ? request : undefined };
}

function measurementCheck(claims: NitroClaims | undefined, measurement: string | undefined): Check {
  if (claims === undefined) return notPerformed(MEASUREMENT_CHECK, "the evidence proves nothing");
  return check(
    MEASUREMENT_CHECK,
    measurement !== undefined,
    measurement ?? "PCR0 is zero or absent: nothing was measured",
  );
}

function platformOf({ verdict, platform }: Appraisal): Platform | undefined {
  if (verdict !== "affirmed") return undefined;
  return platform === "aws-nitro" || platform === "simulated-nitro" ? platform : undefined;
}
