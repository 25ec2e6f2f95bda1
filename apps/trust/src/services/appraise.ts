// Judges evidence for a relying party: whatever comes of it goes back as a signed result, an EAR, and onto the log.
import { type Clock, type CryptoPort, toBase64, toHex } from "@holdfast/core";
import {
  type Appraisal,
  appraisalOf,
  type Decision,
  type EarNames,
  type EndorsementFile,
  type Endorsements,
  type EvidenceType,
  type Expectations,
  earClaims,
  earStatus,
  matchReferenceValues,
  mergeEndorsements,
  REFERENCE_CHECK,
  readEndorsements,
  TRUST,
} from "@holdfast/evidence";
import { type JudgedEvidence, judgeEvidence } from "../collateral/judge-evidence.ts";
import type { CollateralStore } from "../collateral/store.ts";
import type { Config } from "../config.ts";
import { refusal, TrustError } from "../errors.ts";
import type { Challenges } from "./challenges.ts";
import type { DecisionLog } from "./decision-log.ts";
import type { Keys } from "./keys.ts";
import type { ReferenceValues } from "./reference-values.ts";
import type { RefusalBudget } from "./refusal-budget.ts";
import { signResult } from "./result-key.ts";

/** What the use case works with. */
export interface AppraiseDependencies {
  readonly keys: Keys;
  readonly challenges: Challenges;
  readonly references: ReferenceValues;
  readonly log: DecisionLog;
  readonly refusals: RefusalBudget;
  /** Endorsements that the service holds, and keys that its operator enrolled. */
  readonly collateral: Endorsements;
  /** What the vendors' configured sources answer. */
  readonly store: CollateralStore;
  readonly clock: Clock;
  readonly crypto: CryptoPort;
  readonly config: Pick<Config, "simulatedRoots" | "issuer" | "challengeSeconds">;
}

/** What is asked. */
export interface AppraiseRequest {
  /** What the evidence must be; whatever it is when left out. */
  readonly type: EvidenceType | undefined;
  readonly evidence: Uint8Array;
  readonly challengeId: string | undefined;
  readonly nonce: Uint8Array | undefined;
  readonly reportData: Uint8Array | undefined;
  /** Endorsements of the asker, beside the service's own. */
  readonly endorsements: readonly EndorsementFile[];
  readonly expect: Expectations | undefined;
  readonly names: EarNames;
}

/** What is answered. */
export interface AppraiseResult {
  readonly token: string;
  readonly appraisal: Appraisal;
  readonly status: string;
  readonly expiresAt: Date;
}

const TOKEN_MS = 5 * 60 * 1000;
const VERIFIER = { developer: "Holdfast", build: "attestation service" };
/** Bounds of a nonce in a token (RFC 9711 section 4.1). */
const NONCE = { least: 8, most: 64 };

/**
 * Judges evidence and signs the result.
 * @throws TrustError ATTESTATION_REFUSED for a challenge that is not open
 */
export async function appraise(
  deps: AppraiseDependencies,
  request: AppraiseRequest,
): Promise<AppraiseResult> {
  const nonce = nonceOf(deps, request);
  const { type, reportData, expect } = request;
  const { appraisal: judged, endorsements } = await judgeEvidence(
    request.evidence,
    {
      crypto: deps.crypto,
      anchors: deps.config.simulatedRoots,
      endorsements: endorsementsFor(deps, request),
      ...(type === undefined ? {} : { type }),
      ...(nonce === undefined ? {} : { nonce }),
      ...(reportData === undefined ? {} : { reportData }),
      ...(expect === undefined ? {} : { expect }),
    },
    { store: deps.store, now: () => deps.clock.now() },
  );
  const { at } = judged;
  const appraisal = withReferences(judged, deps.references, at);
  const expiresAt = new Date(
    Math.min(at.getTime() + TOKEN_MS, (appraisal.validUntil ?? at).getTime()),
  );
  const fitting = nonce !== undefined && nonce.length >= NONCE.least && nonce.length <= NONCE.most;
  const claims = earClaims(appraisal, {
    names: request.names,
    issuer: deps.config.issuer,
    verifier: VERIFIER,
    issuedAt: at,
    // What is refused has no time of its own; the result about it has.
    expiresAt: expiresAt > at ? expiresAt : new Date(at.getTime() + TOKEN_MS),
    ...(fitting ? { nonce } : {}),
    policies: [`holdfast:${appraisal.type}`],
  });
  await record(deps, request, nonce, { appraisal, endorsements });
  const [key] = await deps.keys.resultKeys();
  return {
    token: signResult(key, claims),
    appraisal,
    status: earStatus(appraisal),
    expiresAt: new Date(Number(claims["exp"]) * 1000),
  };
}

/** The asker's endorsements are data to verify; keys among them would be taken at its word, so they are left out. */
function endorsementsFor(
  { collateral }: AppraiseDependencies,
  { endorsements }: AppraiseRequest,
): Endorsements {
  return mergeEndorsements(collateral, { ...readEndorsements(endorsements), keys: [] });
}

async function record(
  { log, refusals, config }: AppraiseDependencies,
  { evidence, reportData, expect }: AppraiseRequest,
  nonce: Uint8Array | undefined,
  { appraisal, endorsements }: JudgedEvidence,
): Promise<void> {
  const { type, verdict, platform, checks, at, collateral } = appraisal;
  const passedOver = verdict === "affirmed" ? 0 : refusals.take();
  if (passedOver === undefined) return;
  const decision: Decision = {
    kind: "appraise",
    outcome: verdict,
    time: at.toISOString(),
    checks,
    evidence: toBase64(evidence),
    ...(nonce === undefined ? {} : { nonce: toHex(nonce) }),
    facts: {
      type,
      platform,
      ...(reportData === undefined ? {} : { report_data: toHex(reportData) }),
      ...(expect === undefined ? {} : { expect: JSON.stringify([...expect]) }),
      ...(collateral.length === 0 ? {} : { collateral: JSON.stringify(collateral) }),
      ...(passedOver === 0 ? {} : { refusals_passed_over: passedOver }),
    },
  };
  await log.append(decision, { endorsements, anchors: config.simulatedRoots });
}

function nonceOf(deps: AppraiseDependencies, request: AppraiseRequest): Uint8Array | undefined {
  if (request.challengeId === undefined) return request.nonce;
  if (request.nonce !== undefined) {
    throw new TrustError("REQUEST_INVALID", "either a challenge or a nonce, not both");
  }
  const challenge = deps.challenges.take(request.challengeId);
  if (challenge === undefined) throw refusal();
  return challenge.nonce;
}

/** The appraisal with the comparison to reference values added, and what it says about the executables. */
function withReferences(judged: Appraisal, references: ReferenceValues, at: Date): Appraisal {
  const { type, claims } = judged;
  const { check } = matchReferenceValues(references.forVerifier(), type, claims, at);
  const executables = {
    passed: TRUST.executablesApproved,
    failed: TRUST.executablesUnrecognised,
    "not performed": judged.trustVector.executables,
  }[check.outcome];
  return appraisalOf({
    ...judged,
    checks: [...judged.checks, check],
    // Without reference values the executables are unrecognised, which the token says; the rest is judged all the same.
    waived: [...judged.waived, REFERENCE_CHECK],
    trustVector: { ...judged.trustVector, executables },
  });
}
