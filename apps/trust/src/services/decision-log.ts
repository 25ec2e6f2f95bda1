// The log of decisions: lines that hold each other's hashes, appended and on disk before anybody hears of the decision. What
// a decision rests on besides its evidence is on disk before its line, in a folder beside the log.
import { createHash } from "node:crypto";
import { type FileHandle, open, statfs } from "node:fs/promises";
import { type Clock, messageOf, systemClock, toText, webCrypto } from "@holdfast/core";
import {
  BASIS_FACT,
  BASIS_PASSED_OVER,
  basisFolderOf,
  type Decision,
  type DecisionBasis,
  encodeBasis,
  encodeRecord,
  FIRST_PREVIOUS,
  hashOfLine,
  MAXIMUM_RECORD,
  parseRecord,
} from "@holdfast/evidence";
import { TrustError } from "../errors.ts";
import { KeptDocuments } from "./kept-documents.ts";

const LINE_FEED = 0x0a;
const LONG = 512;

/** An append-only log in one file. */
export class DecisionLog {
  readonly #path: string;
  readonly #file: FileHandle;
  #sequence: number;
  #previous: string;
  #last: Promise<unknown> = Promise.resolve();
  readonly #documents: KeptDocuments;

  private constructor(
    path: string,
    file: FileHandle,
    documents: KeptDocuments,
    sequence: number,
    previous: string,
  ) {
    this.#path = path;
    this.#file = file;
    this.#documents = documents;
    this.#sequence = sequence;
    this.#previous = previous;
  }

  /**
   * Opens or makes a log, with the folder of documents beside it. A last line that was cut off, by a loss of power, was never acknowledged: it is removed.
   * @throws TrustError LOG_UNUSABLE
   */
  static async open(path: string, clock: Clock = systemClock): Promise<DecisionLog> {
    let file: FileHandle | undefined;
    try {
      const documents = await KeptDocuments.open(basisFolderOf(path), clock);
      file = await open(path, "a+", 0o600);
      const line = await lastLine(file);
      if (line === undefined) return new DecisionLog(path, file, documents, 0, FIRST_PREVIOUS);
      const previous = await hashOfLine(line, webCrypto);
      return new DecisionLog(path, file, documents, parseRecord(line).sequence + 1, previous);
    } catch (cause) {
      await file?.close();
      throw new TrustError("LOG_UNUSABLE", `${path}: ${messageOf(cause)}`, { cause });
    }
  }

  /**
   * Appends a decision; answers when it is on disk.
   * @param basis what it was made with besides its evidence
   * @param always keeps the basis however much of others' was kept in this minute
   */
  append(decision: Decision, basis?: DecisionBasis, always = false): Promise<void> {
    const turn = this.#last.then(async () => {
      const whole = basis === undefined ? decision : await this.#based(decision, basis, always);
      await this.#write(whole);
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Throws while no decision could be appended: the file is gone from under it, or its disk is full. */
  async check(): Promise<void> {
    await this.#last;
    await this.#file.datasync();
    const { bavail, bsize } = await statfs(this.#path);
    if (bavail * bsize < MAXIMUM_RECORD) throw new Error(`${this.#path}: the disk is full`);
  }

  /** Closes the file once all is written. */
  async close(): Promise<void> {
    await this.#last;
    await this.#file.close();
  }

  async #based(decision: Decision, basis: DecisionBasis, always: boolean): Promise<Decision> {
    const { digest, documents } = await encodeBasis(basis, webCrypto);
    // Without it a decision can't be made again from here alone, but it is on the log.
    const fact = (await this.#documents.keep(documents, always))
      ? { [BASIS_FACT]: digest }
      : { [BASIS_PASSED_OVER]: true };
    return { ...decision, facts: { ...decision.facts, ...fact } };
  }

  async #write(decision: Decision): Promise<void> {
    const place = { sequence: this.#sequence, previous: this.#previous };
    const whole = encodeRecord({ ...decision, ...place });
    const fits = Buffer.byteLength(whole) <= MAXIMUM_RECORD;
    const line = fits ? whole : encodeRecord({ ...shortened(decision), ...place });
    await this.#file.appendFile(`${line}\n`);
    await this.#file.datasync();
    this.#sequence += 1;
    this.#previous = await hashOfLine(line, webCrypto);
  }
}

/**
 * A decision whose long texts are named by their hashes: a line over the bound could not be read again. It can't be
 * replayed from the log alone then, but what was judged can still be told by its hash.
 */
function shortened({ evidence, csr, ...decision }: Decision): Decision {
  const facts = { ...decision.facts, ...(evidence && { evidence }), ...(csr && { csr }) };
  return {
    ...decision,
    checks: decision.checks.map((each) => ({ ...each, detail: each.detail.slice(0, LONG) })),
    facts: Object.fromEntries(
      Object.entries(facts).map(([name, value]) =>
        typeof value === "string" && value.length > LONG
          ? [`${name}_sha256`, createHash("sha256").update(value).digest("hex")]
          : [name, value],
      ),
    ),
  };
}

async function lastLine(file: FileHandle): Promise<string | undefined> {
  const { size } = await file.stat();
  const start = Math.max(0, size - 2 * MAXIMUM_RECORD);
  const tail = new Uint8Array(size - start);
  await file.read(tail, 0, tail.length, start);
  const end = tail.lastIndexOf(LINE_FEED);
  if (end + 1 < tail.length) await file.truncate(start + end + 1);
  if (end < 0) return undefined;
  const begin = end === 0 ? 0 : tail.lastIndexOf(LINE_FEED, end - 1) + 1;
  return toText(tail.subarray(begin, end));
}
