// The use case of the key broker: evidence over a challenge and a keep's request in, a key for that keep alone out. It goes
// out only when every check passed, and whatever is decided is on the log first.
import { createHash } from "node:crypto";
import { judgeRelease, type ReleaseVerdict } from "@holdfast/channel";
import type { ReleasedKey } from "@holdfast/contract";
import { type Check, canonicalJson, check, toBase64, toHex } from "@holdfast/core";
import {
  type Decision,
  type DecisionBasis,
  matchReferenceValues,
  NO_ENDORSEMENTS,
  REQUEST_FACT,
} from "@holdfast/evidence";
import { keyRefusal } from "../errors.ts";
import { anchorsOf, type CertifyDependencies } from "./certify.ts";
import { type Challenge, challengeCheck } from "./challenges.ts";
import type { HeldKey, HeldKeys } from "./held-keys.ts";
import { sealKey } from "./seal-key.ts";

/** What the use case works with. */
export interface ReleaseDependencies extends Omit<CertifyDependencies, "keys"> {
  readonly heldKeys: HeldKeys;
}

/** What a keep hands in. */
export interface ReleaseBid {
  /** Of the key, as the path names it. */
  readonly name: string;
  readonly challengeId: string;
  readonly evidence: Uint8Array;
  readonly request: Uint8Array;
}

/** What is known of a bid when it is decided. */
interface Judged {
  readonly at: Date;
  readonly checks: readonly Check[];
  readonly challenge?: Challenge;
  readonly held?: HeldKey;
  readonly isBound?: boolean;
}

/**
 * Judges a bid and releases the key.
 * @throws TrustError KEY_NOT_RELEASED, the same for every reason
 */
export async function releaseKey(
  deps: ReleaseDependencies,
  bid: ReleaseBid,
): Promise<ReleasedKey["jwe"]> {
  const at = deps.clock.now();
  const challenge = deps.challenges.take(bid.challengeId);
  const open = challengeCheck(challenge);
  if (challenge === undefined) return await refuse(deps, bid, { at, checks: [open] });
  const held = deps.heldKeys.find(bid.name);
  const verdict = await judgeRelease({
    ...bid,
    grant: held?.grant,
    nonce: challenge.nonce,
    anchors: anchorsOf(deps.config),
    at,
    crypto: deps.crypto,
    maximumAge: deps.config.challengeSeconds * 1000,
  });
  const checks = [open, ...verdict.checks, referenceCheck(deps, verdict, at)];
  const judged = { at, checks, challenge, isBound: verdict.isBound, ...(held && { held }) };
  const { entitled } = verdict;
  const isFailed = checks.some(({ outcome }) => outcome === "failed");
  if (isFailed || entitled === undefined || held === undefined) {
    return await refuse(deps, bid, judged);
  }
  const unchanged = await unchangedCheck(deps, held, at);
  const all = { ...judged, checks: [...checks, unchanged] };
  if (unchanged.outcome !== "passed") return await refuse(deps, bid, all);
  const { platform, measurement, policyHash } = entitled;
  const facts = { platform, measurement, policy_hash: policyHash };
  const jwe = await sealKey(held.bytes, entitled.recipient);
  await record(deps, bid, all, "released", facts);
  deps.logger?.info({ key: bid.name, ...facts }, "key released");
  return jwe;
}

function referenceCheck(
  { references }: ReleaseDependencies,
  { claims }: ReleaseVerdict,
  at: Date,
): Check {
  return matchReferenceValues(references.forVerifier(), "nitro", claims, at).check;
}

/** Counts the release, unless the key was deleted or its terms replaced while the evidence was judged. */
async function unchangedCheck(
  { heldKeys }: ReleaseDependencies,
  held: HeldKey,
  at: Date,
): Promise<Check> {
  const counted = await heldKeys.countRelease(held, at);
  const detail = counted ? "the key and its terms are those judged by" : "deleted or changed since";
  return check("key.unchanged", counted, detail);
}

async function refuse(deps: ReleaseDependencies, bid: ReleaseBid, judged: Judged): Promise<never> {
  const passedOver = deps.refusals.take();
  if (passedOver === undefined) throw keyRefusal();
  const facts = passedOver === 0 ? {} : { refusals_passed_over: passedOver };
  await record(deps, bid, judged, "refused", facts);
  const failed = judged.checks.filter(({ outcome }) => outcome === "failed");
  deps.logger?.info({ key: bid.name, ...facts, failed }, "key not released");
  throw keyRefusal();
}

async function record(
  { log, config }: ReleaseDependencies,
  { name, challengeId, evidence, request }: ReleaseBid,
  { at, checks, challenge, held, isBound }: Judged,
  outcome: string,
  more: Decision["facts"],
): Promise<void> {
  const facts = { key: name, challenge: challengeId, ...more };
  const decision: Decision = { kind: "release", outcome, time: at.toISOString(), checks, facts };
  // Nothing was judged; keeping what came would let anybody fill the disk.
  if (challenge === undefined) return await log.append(decision);
  const whole: Decision = {
    ...decision,
    facts: {
      ...facts,
      maximum_age: config.challengeSeconds * 1000,
      [REQUEST_FACT]: createHash("sha256").update(request).digest("hex"),
      ...(held && { grant: canonicalJson(held.grant) }),
    },
    evidence: toBase64(evidence),
    nonce: toHex(challenge.nonce),
  };
  const basis: DecisionBasis = {
    endorsements: NO_ENDORSEMENTS,
    anchors: config.simulatedRoots,
    // Long, and of no use where no platform stands behind it: then anybody could fill the disk with it.
    ...(isBound === true && { request }),
  };
  await log.append(whole, basis, outcome === "released");
}
