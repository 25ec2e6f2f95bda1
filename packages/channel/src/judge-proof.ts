// What a keep proves when it asks for a certificate, or answers a client's nonce: a request signed by its TLS key, which
// names its policy, and evidence that carries the nonce and the hash of that very request. The attestation service, a
// client that checks a keep itself, and an audit of old decisions all judge by this.
import {
  type CertificationRequest,
  type Check,
  check,
  HoldfastError,
  isRequestSigned,
  parseCertificationRequest,
  toHex,
} from "@holdfast/core";
import { allNotPerformed, type NitroClaims } from "@holdfast/evidence";
import {
  judgePlatform,
  PLATFORM_CHECKS,
  type PlatformProof,
  type ProvenPlatform,
} from "./judge-platform.ts";
import { POLICY_HASH_OID } from "./keep-certificate.ts";

/** A proof, and what it is judged against. */
export interface ProofRequest extends PlatformProof {
  /** Certification request, DER. */
  readonly csr: Uint8Array;
  /** Whether the request must name its policy, as keeps' requests do; runtimes of the Veracruz protocol don't. */
  readonly policyHashRequired: boolean;
}

/** What was proven about a keep. */
export interface ProvenKeep extends ProvenPlatform {
  /** SubjectPublicKeyInfo of the keep's TLS key, DER. */
  readonly spki: Uint8Array;
  /** Lower-case hexadecimal, 64 digits; absent when the request names none and need not. */
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

/** Judges a proof. Never throws for a bad one. */
export async function judgeProof(proof: ProofRequest): Promise<ProofVerdict> {
  const { checks: requestChecks, request } = await judgeRequest(proof);
  if (request === undefined) {
    const rest = allNotPerformed(PLATFORM_CHECKS, "the request is not acceptable");
    return { checks: [...requestChecks, ...rest], proven: undefined, claims: undefined };
  }
  const digest = await proof.crypto.digest("SHA-256", proof.csr);
  const { checks, proven, claims } = await judgePlatform(proof, digest);
  const hash = request.extensions.get(POLICY_HASH_OID)?.value;
  return {
    checks: [...requestChecks, ...checks],
    proven: proven && { ...proven, spki: request.spki, policyHash: hash && toHex(hash) },
    claims,
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
