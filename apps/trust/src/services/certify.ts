// The use case of the service: evidence over a challenge and a request in, a certificate out. Every step adds its checks;
// a certificate is issued only when all of them passed, and whatever comes out is on the log first.
import { type Platform, POLICY_HASH_OID } from "@holdfast/channel";
import {
  type CertificationRequest,
  type Check,
  type Clock,
  check,
  fromHex,
  HoldfastError,
  isRequestSigned,
  notPerformed,
  parseCertificationRequest,
  toBase64,
  toHex,
  webCrypto,
} from "@holdfast/core";
import {
  type Appraisal,
  awsNitroRoot,
  type NitroClaims,
  nitroMeasurement,
  verifyNitro,
} from "@holdfast/evidence";
import type { Config } from "../config.ts";
import { refusal } from "../errors.ts";
import type { Authority } from "./authority.ts";
import type { Challenge, Challenges } from "./challenges.ts";
import type { DecisionLog } from "./decision-log.ts";
import { type Issued, issueCertificate } from "./issue-certificate.ts";

/** What the use case works with. */
export interface CertifyDependencies {
  readonly authority: Authority;
  readonly challenges: Challenges;
  readonly log: DecisionLog;
  readonly clock: Clock;
  readonly config: Pick<Config, "simulatedRoots" | "certificateHours" | "challengeSeconds">;
  /** Told each decision in short; the log of decisions has it in full. */
  readonly logger?: { info(facts: object, message: string): void };
}

/** What an attester hands in. */
export interface Proof {
  readonly challengeId: string;
  readonly evidence: Uint8Array;
  readonly csr: Uint8Array;
  /** Whether the request must name its policy, as keeps' requests do. */
  readonly policyHashRequired: boolean;
}

/** A certificate with what was proven for it. */
export interface Certified extends Issued {
  readonly platform: Platform;
  readonly measurement: string;
  readonly policyHash: string | undefined;
}

interface RequestFacts {
  readonly spki: Uint8Array;
  readonly policyHash: Uint8Array | undefined;
}

/**
 * Judges a proof and issues a certificate.
 * @throws TrustError ATTESTATION_REFUSED, the same for every reason
 */
export async function certify(deps: CertifyDependencies, proof: Proof): Promise<Certified> {
  const challenge = deps.challenges.take(proof.challengeId);
  const checks = [
    check(
      "challenge.open",
      challenge !== undefined,
      challenge === undefined
        ? "the challenge is unknown, used or expired"
        : "the challenge is known, and used up now",
    ),
  ];
  if (challenge === undefined) return await refuse(deps, proof, checks, undefined);
  const request = await judgeRequest(proof, checks);
  if (request === undefined) return await refuse(deps, proof, checks, challenge);
  const appraisal = await judgeEvidence(deps, proof, challenge);
  checks.push(...appraisal.checks);
  const measurement = appraisal.claims && nitroMeasurement(appraisal.claims);
  checks.push(measurementCheck(appraisal.claims, measurement));
  const failed = checks.some(({ outcome }) => outcome === "failed");
  if (failed || appraisal.verdict !== "affirmed" || measurement === undefined) {
    return await refuse(deps, proof, checks, challenge);
  }
  const platform: Platform = appraisal.platform === "aws-nitro" ? "aws-nitro" : "simulated-nitro";
  const issued = await issueCertificate(
    deps.authority,
    { ...request, platform, measurement: fromHex(measurement) },
    deps.config.certificateHours,
    deps.clock,
  );
  const policyHash = request.policyHash && toHex(request.policyHash);
  const facts = {
    challenge: challenge.id,
    platform,
    measurement,
    ...(policyHash === undefined ? {} : { policy_hash: policyHash }),
    serial: issued.serial,
    not_after: issued.notAfter.toISOString(),
  };
  await deps.log.append({
    ...decisionOf(deps, proof, checks, challenge),
    outcome: "issued",
    facts,
  });
  deps.logger?.info(facts, "certificate issued");
  return { ...issued, platform, measurement, policyHash };
}

async function judgeRequest(
  { csr, policyHashRequired }: Proof,
  checks: Check[],
): Promise<RequestFacts | undefined> {
  let request: CertificationRequest;
  try {
    request = parseCertificationRequest(csr);
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    checks.push(check("request.format", false, thrown.message));
    return undefined;
  }
  const { key } = request;
  const signed = await isRequestSigned(request, webCrypto);
  const fits = key.kind === "ec" && key.curve !== "P-521";
  const hash = request.extensions.get(POLICY_HASH_OID)?.value;
  const named = hash === undefined ? !policyHashRequired : hash.length === 32;
  checks.push(
    check("request.format", true, "the request can be read"),
    check("request.signature", signed, signed ? "by the key it names" : "not by the key it names"),
    check("request.key", fits, `${key.kind === "ec" ? key.curve : key.kind}; P-256 or P-384 only`),
    check("request.policy-hash", named, hash === undefined ? "absent" : toHex(hash)),
  );
  return signed && fits && named ? { spki: request.spki, policyHash: hash } : undefined;
}

async function judgeEvidence(
  { clock, config }: CertifyDependencies,
  proof: Proof,
  challenge: Challenge,
): Promise<Appraisal<NitroClaims>> {
  return await verifyNitro(proof.evidence, {
    anchors: [awsNitroRoot(), ...config.simulatedRoots],
    at: clock.now(),
    crypto: webCrypto,
    nonce: challenge.nonce,
    userData: await webCrypto.digest("SHA-256", proof.csr),
    // Which measurement is the right one, the policy says and the relying party checks; the certificate states it.
    pcrs: "waived",
    maximumAge: config.challengeSeconds * 1000,
  });
}

function measurementCheck(claims: NitroClaims | undefined, measurement: string | undefined): Check {
  const name = "measurement.present";
  if (claims === undefined) return notPerformed(name, "the evidence proves nothing");
  return check(name, measurement !== undefined, measurement ?? "PCR0 is zero or absent");
}

async function refuse(
  deps: CertifyDependencies,
  proof: Proof,
  checks: readonly Check[],
  challenge: Challenge | undefined,
): Promise<never> {
  const facts = { challenge: proof.challengeId };
  await deps.log.append({
    ...decisionOf(deps, proof, checks, challenge),
    outcome: "refused",
    facts,
  });
  const failed = checks.filter(({ outcome }) => outcome === "failed");
  deps.logger?.info({ ...facts, failed }, "attestation refused");
  throw refusal();
}

function decisionOf(
  { clock }: CertifyDependencies,
  proof: Proof,
  checks: readonly Check[],
  challenge: Challenge | undefined,
) {
  const base = { kind: "certify", time: clock.now().toISOString(), checks };
  // Without a challenge nothing was judged; keeping it all would let anybody fill the disk.
  if (challenge === undefined) return base;
  return {
    ...base,
    evidence: toBase64(proof.evidence),
    csr: toBase64(proof.csr),
    nonce: toHex(challenge.nonce),
  };
}
