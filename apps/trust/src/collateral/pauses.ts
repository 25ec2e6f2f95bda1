// Who is not to be asked for now: documents that could not be had, each time for longer, and sources that said they are
// asked too often. Bounded: whoever hands in evidence of invented chips must not fill memory.
import type { Clock } from "@holdfast/core";

const FIRST_MS = 30_000;
const LONGEST_MS = 60 * 60 * 1000;
const MOST = 2048;

interface Pause {
  readonly until: number;
  readonly failures: number;
}

/** The pauses in force. */
export class Pauses {
  readonly #pauses = new Map<string, Pause>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a name must not be asked for now. */
  has(name: string): boolean {
    const pause = this.#pauses.get(name);
    return pause !== undefined && pause.until > this.#clock.now().getTime();
  }

  /** After a failure: at least this long, and twice as long as the last time. */
  add(name: string, leastMs = 0): void {
    const failures = (this.#pauses.get(name)?.failures ?? 0) + 1;
    const growing = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16));
    this.#pauses.delete(name);
    const until = this.#clock.now().getTime() + Math.max(leastMs, growing);
    this.#pauses.set(name, { until, failures });
    const [oldest] = this.#pauses.keys();
    if (this.#pauses.size > MOST && oldest !== undefined) this.#pauses.delete(oldest);
  }

  /** After a success. */
  clear(name: string): void {
    this.#pauses.delete(name);
  }
}
