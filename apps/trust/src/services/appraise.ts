// Judges evidence for a relying party: whatever comes of it goes back as a signed result, an EAR, and onto the log.
import { type Clock, type CryptoPort, toBase64, toHex } from "@holdfast/core";
import {
  type Appraisal,
  appraisalOf,
  type EarNames,
  earClaims,
  earStatus,
  matchReferenceValues,
  type NitroClaims,
  nitroMeasurement,
  REFERENCE_CHECK,
  TRUST,
  verifyNitro,
} from "@holdfast/evidence";
import type { Config } from "../config.ts";
import { refusal, TrustError } from "../errors.ts";
import { anchorsOf } from "./certify.ts";
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
  readonly clock: Clock;
  readonly crypto: CryptoPort;
  readonly config: Pick<Config, "simulatedRoots" | "issuer" | "challengeSeconds">;
}

/** What is asked. */
export interface AppraiseRequest {
  readonly type: string;
  readonly evidence: Uint8Array;
  readonly challengeId?: string | undefined;
  readonly nonce?: Uint8Array | undefined;
  readonly userData?: Uint8Array | undefined;
  readonly publicKey?: Uint8Array | undefined;
  readonly names: EarNames;
}

/** What is answered. */
export interface AppraiseResult {
  readonly token: string;
  readonly appraisal: Appraisal<NitroClaims>;
  readonly status: string;
  readonly expiresAt: Date;
}

const TOKEN_MS = 5 * 60 * 1000;
const VERIFIER = { developer: "Holdfast", build: "attestation service" };
/** Bounds of a nonce in a token (RFC 9711 section 4.1). */
const NONCE = { least: 8, most: 64 };

/**
 * Judges evidence and signs the result.
 * @throws TrustError EVIDENCE_TYPE_UNKNOWN; ATTESTATION_REFUSED for a challenge that is not open
 */
export async function appraise(
  deps: AppraiseDependencies,
  request: AppraiseRequest,
): Promise<AppraiseResult> {
  if (request.type !== "nitro") {
    throw new TrustError("EVIDENCE_TYPE_UNKNOWN", `evidence of type ${request.type} is not judged`);
  }
  const at = deps.clock.now();
  const nonce = nonceOf(deps, request);
  const judged = await verifyNitro(request.evidence, {
    anchors: anchorsOf(deps.config),
    at,
    crypto: deps.crypto,
    nonce: nonce ?? "waived",
    userData: request.userData ?? "waived",
    publicKey: request.publicKey ?? "waived",
    pcrs: "waived",
  });
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
    policies: [`holdfast:${request.type}`],
  });
  await record(deps, request, nonce, appraisal);
  const [key] = await deps.keys.resultKeys();
  return {
    token: signResult(key, claims),
    appraisal,
    status: earStatus(appraisal),
    expiresAt: new Date(Number(claims["exp"]) * 1000),
  };
}

async function record(
  { log, refusals }: AppraiseDependencies,
  { type, evidence, userData, publicKey }: AppraiseRequest,
  nonce: Uint8Array | undefined,
  { verdict, platform, checks, at }: Appraisal,
): Promise<void> {
  const passedOver = verdict === "affirmed" ? 0 : refusals.take();
  if (passedOver === undefined) return;
  await log.append({
    kind: "appraise",
    outcome: verdict,
    time: at.toISOString(),
    checks,
    evidence: toBase64(evidence),
    ...(nonce === undefined ? {} : { nonce: toHex(nonce) }),
    facts: {
      type,
      platform,
      ...(userData === undefined ? {} : { user_data: toHex(userData) }),
      ...(publicKey === undefined ? {} : { public_key: toHex(publicKey) }),
      ...(passedOver === 0 ? {} : { refusals_passed_over: passedOver }),
    },
  });
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
function withReferences(
  judged: Appraisal<NitroClaims>,
  references: ReferenceValues,
  at: Date,
): Appraisal<NitroClaims> {
  const { claims } = judged;
  const named = claims && { ...claims, measurement: nitroMeasurement(claims) };
  const { check } = matchReferenceValues(references.forVerifier(), judged.type, named, at);
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
