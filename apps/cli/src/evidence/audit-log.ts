// `evidence audit`: reads an attestation service's log of decisions, checks that nothing was taken out, changed or put in,
// and judges every decision again, at its own time and at another: was it right, and what would differ today? What a decision
// rested on comes from the folder beside the log; the auditor may give more.
import { createReadStream } from "node:fs";
import { type Difference, replayDecision } from "@holdfast/channel";
import { type Certificate, HoldfastError, messageOf, webCrypto } from "@holdfast/core";
import {
  BASIS_PASSED_OVER,
  type ChainVerdict,
  type DecisionBasis,
  type DecisionRecord,
  type Endorsements,
  MAXIMUM_RECORD,
  mergeEndorsements,
  verifyLog,
} from "@holdfast/evidence";
import { CliError } from "../errors.ts";
import { AuditBases } from "./audit-bases.ts";

/** What to audit with. */
export interface AuditRequest {
  readonly path: string;
  /** Roots that the service accepted beside the vendors' own. */
  readonly anchors: readonly Certificate[];
  readonly endorsements: Endorsements;
  /** The time to compare with. */
  readonly at: Date;
}

/** One decision, judged again. */
export interface AuditedDecision {
  readonly sequence: number;
  readonly kind: string;
  readonly outcome: string;
  readonly time: string;
  /** Where judging it again at its own time gives something else. */
  readonly contradictions: readonly Difference[];
  /** What would differ at the other time. */
  readonly changes: readonly Difference[];
  /** Why it could not be judged again. */
  readonly unrepeatable?: string;
  /** What is wrong with what it rested on: it was changed, or is gone. */
  readonly damage?: string;
}

/** What an audit found. */
export interface Audit {
  readonly chain: ChainVerdict;
  readonly decisions: readonly AuditedDecision[];
  /** Roots that decisions rest on beside the vendors' own, because the service was told to accept them. */
  readonly roots: readonly Certificate[];
  /** Whether the log and what it rests on are whole, and no decision is contradicted. */
  readonly holds: boolean;
}

/** Audits a log. */
export async function auditLog(request: AuditRequest): Promise<Audit> {
  const decisions: AuditedDecision[] = [];
  const waiting: DecisionRecord[] = [];
  const bases = new AuditBases(request.path);
  // Records are judged while the log is read, so that a long one is never held whole.
  async function* lines(): AsyncGenerator<string> {
    for await (const line of linesOf(request.path)) {
      yield line;
      for (const record of waiting.splice(0))
        decisions.push(await judgeAgain(record, request, bases));
    }
  }
  const chain = await verifyLog(lines(), webCrypto, (record) => waiting.push(record));
  for (const record of waiting) decisions.push(await judgeAgain(record, request, bases));
  const whole = chain.checks.every(({ outcome }) => outcome === "passed");
  const agreed = decisions.every(
    ({ contradictions, damage }) => contradictions.length === 0 && damage === undefined,
  );
  return { chain, decisions, roots: bases.roots, holds: whole && agreed };
}

async function judgeAgain(
  record: DecisionRecord,
  { anchors, endorsements, at }: AuditRequest,
  bases: AuditBases,
): Promise<AuditedDecision> {
  const { sequence, kind, outcome, time } = record;
  const audited = { sequence, kind, outcome, time, contradictions: [], changes: [] };
  if (record.facts[BASIS_PASSED_OVER] === true) {
    return { ...audited, unrepeatable: "what it rested on was too much to keep" };
  }
  let basis: DecisionBasis;
  try {
    basis = await bases.of(record);
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return { ...audited, damage: messageOf(thrown) };
  }
  try {
    const replay = await replayDecision({
      record,
      anchors: [...anchors, ...basis.anchors],
      crypto: webCrypto,
      endorsements: mergeEndorsements(basis.endorsements, endorsements),
      ...(basis.request === undefined ? {} : { request: basis.request }),
      at,
    });
    return {
      ...audited,
      contradictions: replay?.contradictions ?? [],
      changes: replay?.changes ?? [],
    };
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return { ...audited, unrepeatable: messageOf(thrown) };
  }
}

/** Lines of a file; longer ones than a record may be are refused before they fill the memory. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = "";
  try {
    for await (const part of createReadStream(path, { encoding: "utf8" })) {
      const [first = "", ...more] = String(part).split("\n");
      rest += first;
      if (rest.length > MAXIMUM_RECORD) throw tooLong(path);
      for (const line of more) {
        yield rest;
        rest = line;
      }
    }
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    throw new CliError("CLI_FILE", `log ${path} can't be read: ${messageOf(cause)}`, { cause });
  }
  if (rest !== "") yield rest;
}

function tooLong(path: string): CliError {
  return new CliError("CLI_INPUT", `log ${path}: a line of over ${MAXIMUM_RECORD} characters`);
}
