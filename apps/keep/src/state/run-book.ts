// All runs of a keep. Old ones are forgotten in order, their output first, so that a keep that runs forever does not
// grow forever.
import { KeepError } from "../errors.ts";
import type { RunRecord } from "./run-record.ts";

/** How much is remembered. */
export interface RunMemory {
  readonly records: number;
  /** Bytes of stdout and stderr of ended runs together. */
  readonly outputBytes: number;
}

/** What is remembered unless told otherwise. */
export const DEFAULT_RUN_MEMORY: RunMemory = { records: 1000, outputBytes: 64 * 1024 * 1024 };

/** Runs in the order of their start. */
export class RunBook {
  readonly #records = new Map<string, RunRecord>();
  readonly #memory: RunMemory;
  #started = 0;
  #starting = 0;

  constructor(memory: RunMemory = DEFAULT_RUN_MEMORY) {
    this.#memory = memory;
  }

  /** Runs ever started, with those about to. */
  get started(): number {
    return this.#started + this.#starting;
  }

  /** Runs under way, with those about to. */
  get running(): number {
    let count = this.#starting;
    for (const { end } of this.#records.values()) if (end === undefined) count += 1;
    return count;
  }

  /** The newest first. */
  all(): RunRecord[] {
    return [...this.#records.values()].reverse();
  }

  /** Takes a place before anything is awaited, so that no two requests take the last one; call what is returned once. */
  reserve(): () => void {
    this.#starting += 1;
    return () => {
      this.#starting -= 1;
    };
  }

  /** Notes a run that was started. */
  add(record: RunRecord): void {
    this.#started += 1;
    this.#records.set(record.id, record);
    this.#forget();
  }

  /** @throws KeepError RUN_MISSING */
  get(id: string): RunRecord {
    const record = this.#records.get(id);
    if (record !== undefined) return record;
    throw new KeepError("RUN_MISSING", "there is no such run");
  }

  /** The run that was started last. */
  newest(): RunRecord | undefined {
    return [...this.#records.values()].at(-1);
  }

  #forget(): void {
    let bytes = 0;
    let count = 0;
    for (const record of this.all()) {
      count += 1;
      if (record.end === undefined) continue;
      bytes += record.stdout.size + record.stderr.size;
      if (count > this.#memory.records) this.#records.delete(record.id);
      else if (bytes > this.#memory.outputBytes) {
        record.stdout.drop();
        record.stderr.drop();
      }
    }
  }
}
