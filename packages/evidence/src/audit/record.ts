// One decision of an attestation service, as its log keeps it: a line of JSON that carries the hash of the line before
// it, so that nothing can be taken out or changed afterwards without breaking every later line.
import { type Check, type CryptoPort, fromText, toHex } from "@holdfast/core";
import { malformed } from "../errors.ts";

/** What was decided. */
export interface Decision {
  /** What was asked: `certify`, `appraise`, or an act of the administrator. */
  readonly kind: string;
  readonly outcome: string;
  /** RFC 3339; the time the evidence was judged at. */
  readonly time: string;
  readonly checks: readonly Check[];
  /** Base64; absent when it was not judged. */
  readonly evidence?: string;
  readonly csr?: string;
  /** Hexadecimal: what the evidence had to carry as its nonce. */
  readonly nonce?: string;
  /** Everything else worth keeping: platform, measurement, serial number. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

/** A decision in its place in the log. */
export interface DecisionRecord extends Decision {
  readonly sequence: number;
  /** SHA-256 of the line before it, without its line feed; zeros for the first. */
  readonly previous: string;
}

/** What stands for the line before the first. */
export const FIRST_PREVIOUS: string = "0".repeat(64);
/** The longest line, in bytes. */
export const MAXIMUM_RECORD = 256 * 1024;

/** The line of a record, without its line feed. */
export function encodeRecord({ sequence, previous, ...decision }: DecisionRecord): string {
  return JSON.stringify({ sequence, previous, ...decision });
}

/** SHA-256 of a line, as the next line names it. */
export async function hashOfLine(line: string, crypto: CryptoPort): Promise<string> {
  return toHex(await crypto.digest("SHA-256", fromText(line)));
}

/**
 * Reads a line.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function parseRecord(line: string): DecisionRecord {
  if (line.length > MAXIMUM_RECORD) {
    throw malformed(`log line of ${line.length} characters, at most ${MAXIMUM_RECORD}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw malformed("log line is not JSON", cause);
  }
  if (!isRecord(value)) throw malformed("log line is not a decision");
  return value;
}

function isRecord(value: unknown): value is DecisionRecord {
  if (typeof value !== "object" || value === null) return false;
  const record = value as Partial<Record<keyof DecisionRecord, unknown>>;
  const texts = [record.kind, record.outcome, record.time];
  const optional = [record.evidence, record.csr, record.nonce];
  return (
    Number.isSafeInteger(record.sequence) &&
    typeof record.previous === "string" &&
    /^[0-9a-f]{64}$/.test(record.previous) &&
    texts.every((text) => typeof text === "string") &&
    optional.every((text) => text === undefined || typeof text === "string") &&
    Array.isArray(record.checks) &&
    record.checks.every(isCheck) &&
    typeof record.facts === "object" &&
    record.facts !== null
  );
}

function isCheck(value: unknown): value is Check {
  if (typeof value !== "object" || value === null) return false;
  const { name, outcome, detail } = value as Partial<Record<keyof Check, unknown>>;
  return (
    typeof name === "string" &&
    typeof detail === "string" &&
    (outcome === "passed" || outcome === "failed" || outcome === "not performed")
  );
}
