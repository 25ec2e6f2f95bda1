// Judges an old decision of an attestation service again: at its own time, to see whether it was right, and at another
// time, to see what would differ today. Needs nothing but the record and the trusted roots.
import {
  type Certificate,
  type Check,
  type CryptoPort,
  fromBase64,
  fromHex,
  type Outcome,
  sameBytes,
} from "@holdfast/core";
import {
  type DecisionRecord,
  type Endorsements,
  EVIDENCE_TYPES,
  type Expectations,
  malformed,
  NO_ENDORSEMENTS,
  REFERENCE_CHECK,
  REQUEST_FACT,
  verifyEvidence,
} from "@holdfast/evidence";
import type { PlatformProof } from "./judge-platform.ts";
import { judgeProof } from "./judge-proof.ts";
import { parseGrant, type ReleaseGrant } from "./release/judge-grant.ts";
import { judgeRelease, judgeUnread, REQUEST_CHECK } from "./release/judge-release.ts";

/** What to replay with. */
export interface ReplayRequest {
  readonly record: DecisionRecord;
  /** Roots of evidence that are trusted; the service's at the time. */
  readonly anchors: readonly Certificate[];
  readonly crypto: CryptoPort;
  /** What the service held of vendors' endorsements, for evidence that needs them; the record names their hashes. */
  readonly endorsements?: Endorsements;
  /** The request for a key, where it was kept; the record names its hash. */
  readonly request?: Uint8Array;
  /** The time to compare with: now. */
  readonly at: Date;
}

/** A check whose outcome is not the same. */
export interface Difference {
  readonly name: string;
  readonly before: Outcome | "absent";
  readonly after: Outcome | "absent";
  /** What the later judgement says about it. */
  readonly detail: string;
}

/** What a replay found. */
export interface Replay {
  /** The decision's checks that can be made again from the record, judged at its own time. */
  readonly then: readonly Check[];
  /**
   * Where the record says something else: it was changed, or the verifier judges differently now; and where something was
   * given that was not due. Empty is well.
   */
  readonly contradictions: readonly Difference[];
  /** The same checks at the other time. */
  readonly now: readonly Check[];
  /** What would differ. A challenge's evidence grows old: `nitro.time` and `path.validity` are expected here. */
  readonly changes: readonly Difference[];
}

/** Checks that only the service itself could make, by what it held at the time. */
const UNREPEATABLE: ReadonlySet<string> = new Set([
  "challenge.open",
  REFERENCE_CHECK,
  "key.unchanged",
]);

/** Outcomes by which somebody got what he asked for. */
const GRANTING: ReadonlySet<string> = new Set(["issued", "released"]);

/**
 * Replays a decision.
 * @returns undefined when nothing was judged: there was no open challenge, or the act was an administrator's
 * @throws EvidenceError EVIDENCE_MALFORMED when the record can't be replayed as it stands
 */
export async function replayDecision(request: ReplayRequest): Promise<Replay | undefined> {
  const { record } = request;
  if (record.evidence === undefined) return undefined;
  const time = new Date(record.time);
  if (Number.isNaN(time.getTime())) throw malformed(`record ${record.sequence}: time is none`);
  const then = await judgeAt(request, time);
  const now = await judgeAt(request, request.at);
  const recorded = record.checks.filter(({ name }) => !UNREPEATABLE.has(name));
  const contradicted = differences(recorded, then);
  return {
    then,
    contradictions: contradicted.length > 0 ? contradicted : wronglyGranted(record, then),
    now,
    changes: differences(then, now),
  };
}

/** What was given though, by its own record, a check failed. */
function wronglyGranted({ outcome }: DecisionRecord, then: readonly Check[]): Difference[] {
  const failed = then.find((each) => each.outcome === "failed");
  if (!GRANTING.has(outcome) || failed === undefined) return [];
  const detail = `${outcome}, though ${failed.name} failed: ${failed.detail}`;
  return [{ name: "outcome", before: "passed", after: "failed", detail }];
}

async function judgeAt(request: ReplayRequest, at: Date): Promise<readonly Check[]> {
  switch (request.record.kind) {
    case "certify":
      return await judgeCertifying(request, at);
    case "appraise":
      return await judgeAppraising(request, at);
    case "release":
      return await judgeReleasing(request, at);
    default:
      throw malformed(
        `record ${request.record.sequence}: decisions of kind ${request.record.kind} have no evidence`,
      );
  }
}

async function judgeAppraising(
  { record, anchors, crypto, endorsements }: ReplayRequest,
  at: Date,
): Promise<readonly Check[]> {
  const { evidence = "", nonce, facts } = record;
  const type = EVIDENCE_TYPES.find((each) => each === facts["type"]);
  const { report_data: reportData, expect } = facts;
  const { checks } = await verifyEvidence(decode(evidence, fromBase64, record), {
    at,
    crypto,
    anchors,
    endorsements: endorsements ?? NO_ENDORSEMENTS,
    ...(type === undefined ? {} : { type }),
    ...(nonce === undefined ? {} : { nonce: decode(nonce, fromHex, record) }),
    ...(typeof reportData === "string" ? { reportData: decode(reportData, fromHex, record) } : {}),
    ...(typeof expect === "string" ? { expect: expectations(expect, record) } : {}),
  });
  return checks;
}

function expectations(text: string, { sequence }: DecisionRecord): Expectations {
  try {
    return new Map(JSON.parse(text));
  } catch (cause) {
    throw malformed(`record ${sequence}: expectations can't be read`, cause);
  }
}

async function judgeCertifying(request: ReplayRequest, at: Date): Promise<readonly Check[]> {
  const { record } = request;
  const { csr, facts } = record;
  const policyHashRequired = facts["policy_hash_required"];
  if (csr === undefined || typeof policyHashRequired !== "boolean") throw lacking(record);
  const proof = platformProof(request, at);
  const { checks } = await judgeProof({
    ...proof,
    csr: decode(csr, fromBase64, record),
    policyHashRequired,
  });
  return checks;
}

async function judgeReleasing(request: ReplayRequest, at: Date): Promise<readonly Check[]> {
  const { record } = request;
  const { key: name, [REQUEST_FACT]: digest, grant } = record.facts;
  if (typeof name !== "string" || typeof digest !== "string") throw lacking(record);
  const proof = platformProof(request, at);
  const requestDigest = decode(digest, fromHex, record);
  if (request.request === undefined) {
    // Kept where a platform stood behind it; a log may come without its folder.
    if (record.checks.some(wasRead)) throw malformed(`record ${record.sequence}: no request`);
    return await judgeUnread(proof, requestDigest);
  }
  if (!sameBytes(await proof.crypto.digest("SHA-256", request.request), requestDigest)) {
    throw malformed(`record ${record.sequence}: another request was kept beside the log`);
  }
  const { checks } = await judgeRelease({
    ...proof,
    name,
    request: request.request,
    grant: typeof grant === "string" ? readGrant(grant, record) : undefined,
  });
  return checks;
}

function wasRead({ name, outcome }: Check): boolean {
  return name === REQUEST_CHECK && outcome !== "not performed";
}

function platformProof({ record, anchors, crypto }: ReplayRequest, at: Date): PlatformProof {
  const { evidence, nonce, facts } = record;
  const maximumAge = facts["maximum_age"];
  if (evidence === undefined || nonce === undefined || typeof maximumAge !== "number") {
    throw lacking(record);
  }
  return {
    evidence: decode(evidence, fromBase64, record),
    nonce: decode(nonce, fromHex, record),
    anchors,
    at,
    crypto,
    maximumAge,
  };
}

function readGrant(text: string, { sequence }: DecisionRecord): ReleaseGrant {
  const grant = parseGrant(text);
  if (grant !== undefined) return grant;
  throw malformed(`record ${sequence}: the grant can't be read`);
}

function lacking({ sequence }: DecisionRecord): Error {
  return malformed(`record ${sequence}: lacks what its decision was made from`);
}

function decode(
  text: string,
  decoder: (text: string) => Uint8Array,
  { sequence }: DecisionRecord,
): Uint8Array {
  try {
    return decoder(text);
  } catch (cause) {
    throw malformed(`record ${sequence}: bytes can't be decoded`, cause);
  }
}

function differences(before: readonly Check[], after: readonly Check[]): Difference[] {
  const names = new Set([...before, ...after].map(({ name }) => name));
  return [...names].flatMap((name): Difference[] => {
    const was = before.find((each) => each.name === name);
    const is = after.find((each) => each.name === name);
    if (was?.outcome === is?.outcome) return [];
    return [
      {
        name,
        before: was?.outcome ?? "absent",
        after: is?.outcome ?? "absent",
        detail: is?.detail ?? "the check is not made",
      },
    ];
  });
}
