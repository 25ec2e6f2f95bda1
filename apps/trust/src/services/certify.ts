// The use case of the service: evidence over a challenge and a request in, a certificate out. A certificate is issued
// only when every check passed, and whatever comes out is on the log first.
import { judgeProof, type ProvenKeep } from "@holdfast/channel";
import {
  type Certificate,
  type Check,
  type Clock,
  type CryptoPort,
  toBase64,
  toHex,
} from "@holdfast/core";
import {
  awsNitroRoot,
  type Decision,
  matchReferenceValues,
  NO_ENDORSEMENTS,
} from "@holdfast/evidence";
import type { Config } from "../config.ts";
import { refusal, TrustError } from "../errors.ts";
import type { Authority } from "./authority.ts";
import { type Challenge, type Challenges, challengeCheck } from "./challenges.ts";
import type { DecisionLog } from "./decision-log.ts";
import { type Issued, issueCertificate } from "./issue-certificate.ts";
import type { Keys } from "./keys.ts";
import type { ReferenceValues } from "./reference-values.ts";
import type { RefusalBudget } from "./refusal-budget.ts";

/** What the use case works with. */
export interface CertifyDependencies {
  readonly keys: Keys;
  readonly challenges: Challenges;
  readonly references: ReferenceValues;
  readonly log: DecisionLog;
  readonly refusals: RefusalBudget;
  readonly clock: Clock;
  readonly crypto: CryptoPort;
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
  /** SHA-256 of the authority that the keep's policy names; the one in use when it says nothing. */
  readonly authoritySha256?: string;
}

/** A certificate with what was proven for it. */
export interface Certified extends Issued, ProvenKeep {
  readonly authority: Authority;
}

/**
 * Judges a proof and issues a certificate.
 * @throws TrustError ATTESTATION_REFUSED, the same for every reason; AUTHORITY_UNKNOWN before anything is judged
 */
export async function certify(deps: CertifyDependencies, proof: Proof): Promise<Certified> {
  const at = deps.clock.now();
  const { authoritySha256 } = proof;
  const authority =
    authoritySha256 === undefined ? deps.keys.authority : deps.keys.find(authoritySha256);
  if (authority === undefined) {
    throw new TrustError("AUTHORITY_UNKNOWN", "this service has no such authority");
  }
  const challenge = deps.challenges.take(proof.challengeId);
  const open = challengeCheck(challenge);
  if (challenge === undefined) return await refuse(deps, proof, [open], undefined, at);
  const verdict = await judgeProof({
    ...proof,
    nonce: challenge.nonce,
    anchors: anchorsOf(deps.config),
    at,
    crypto: deps.crypto,
    maximumAge: deps.config.challengeSeconds * 1000,
  });
  const sets = deps.references.forVerifier();
  const reference = matchReferenceValues(sets, "nitro", verdict.claims, at).check;
  const checks = [open, ...verdict.checks, reference];
  if (verdict.proven === undefined || reference.outcome === "failed")
    return await refuse(deps, proof, checks, challenge, at);
  const { proven } = verdict;
  const issued = await issueCertificate(
    authority,
    proven,
    deps.config.certificateHours,
    deps.clock,
  );
  const facts = {
    challenge: challenge.id,
    platform: proven.platform,
    measurement: proven.measurement,
    ...(proven.policyHash === undefined ? {} : { policy_hash: proven.policyHash }),
    authority: authority.sha256,
    serial: issued.serial,
    not_after: issued.notAfter.toISOString(),
  };
  await record(deps, proof, challenge, { outcome: "issued", checks, facts, at });
  deps.logger?.info(facts, "certificate issued");
  return { ...issued, ...proven, authority };
}

/** The roots that the service accepts evidence under. */
export function anchorsOf({ simulatedRoots }: Pick<Config, "simulatedRoots">): Certificate[] {
  return [awsNitroRoot(), ...simulatedRoots];
}

async function refuse(
  deps: CertifyDependencies,
  proof: Proof,
  checks: readonly Check[],
  challenge: Challenge | undefined,
  at: Date,
): Promise<never> {
  const passedOver = deps.refusals.take();
  if (passedOver === undefined) throw refusal();
  const facts = {
    challenge: proof.challengeId,
    ...(passedOver === 0 ? {} : { refusals_passed_over: passedOver }),
  };
  await record(deps, proof, challenge, { outcome: "refused", checks, facts, at });
  const failed = checks.filter(({ outcome }) => outcome === "failed");
  deps.logger?.info({ ...facts, failed }, "attestation refused");
  throw refusal();
}

async function record(
  { log, config }: CertifyDependencies,
  proof: Proof,
  challenge: Challenge | undefined,
  { at, ...result }: Pick<Decision, "outcome" | "checks" | "facts"> & { readonly at: Date },
): Promise<void> {
  const decision = { kind: "certify", time: at.toISOString(), ...result };
  if (challenge === undefined) {
    // Nothing was judged; keeping what came would let anybody fill the disk.
    await log.append(decision);
    return;
  }
  const whole: Decision = {
    ...decision,
    facts: {
      ...decision.facts,
      maximum_age: config.challengeSeconds * 1000,
      policy_hash_required: proof.policyHashRequired,
    },
    evidence: toBase64(proof.evidence),
    csr: toBase64(proof.csr),
    nonce: toHex(challenge.nonce),
  };
  await log.append(whole, { endorsements: NO_ENDORSEMENTS, anchors: config.simulatedRoots });
}
