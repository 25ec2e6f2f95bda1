// Checks that a log of decisions is whole: every line in its place, none taken out, changed or put in.
import { type Check, type CryptoPort, check, messageOf } from "@holdfast/core";
import { type DecisionRecord, FIRST_PREVIOUS, hashOfLine, parseRecord } from "./record.ts";

/** What became of checking a log. */
export interface ChainVerdict {
  /** `log.format`, `log.sequence`, `log.chain`: the first fault of each, or passed. */
  readonly checks: readonly Check[];
  readonly count: number;
  /** SHA-256 of the last line; kept elsewhere, it shows later whether lines were cut off the end. */
  readonly head: string;
}

/** Receives each record of a log as it is read. */
export type OnRecord = (record: DecisionRecord, line: string) => void;

/**
 * Checks the lines of a log, in order, without keeping them.
 * @param lines without line feeds
 */
export async function verifyLog(
  lines: AsyncIterable<string> | Iterable<string>,
  crypto: CryptoPort,
  onRecord: OnRecord = () => undefined,
): Promise<ChainVerdict> {
  const faults = new Map<string, string>();
  const note = (name: string, fault: string): void => {
    if (!faults.has(name)) faults.set(name, fault);
  };
  let count = 0;
  let head = FIRST_PREVIOUS;
  for await (const line of lines) {
    count += 1;
    const record = readLine(line, (fault) => note("log.format", `line ${count}: ${fault}`));
    if (record !== undefined) {
      if (record.sequence !== count - 1) {
        note("log.sequence", `line ${count}: sequence ${record.sequence}, ${count - 1} expected`);
      }
      if (record.previous !== head) {
        note("log.chain", `line ${count}: does not hold the hash of the line before it`);
      }
      onRecord(record, line);
    }
    head = await hashOfLine(line, crypto);
  }
  const checks = ["log.format", "log.sequence", "log.chain"].map((name) =>
    check(name, !faults.has(name), faults.get(name) ?? `holds for all ${count} lines`),
  );
  return { checks, count, head };
}

function readLine(line: string, onFault: (fault: string) => void): DecisionRecord | undefined {
  try {
    return parseRecord(line);
  } catch (thrown) {
    onFault(messageOf(thrown));
    return undefined;
  }
}
