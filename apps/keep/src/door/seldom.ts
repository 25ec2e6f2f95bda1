// Warnings that whoever reaches the port can bring about as often as they like: each at most once in a while, with how many
// were passed over meanwhile, or they would fill the disk that the log is on.
import type { Clock } from "@holdfast/core";
import type { Log, LogFields } from "../log.ts";

const WHILE_MS = 1000;

interface Said {
  readonly at: number;
  passedOver: number;
}

/** Warns of each event at most once a second. */
export class SeldomLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #said = new Map<string, Said>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Warns of an event, or counts it. */
  warn(event: string, fields: LogFields = {}): void {
    const now = this.#clock.now().getTime();
    const last = this.#said.get(event);
    // A clock that was set back silences it no longer than one that goes on.
    if (last !== undefined && Math.abs(now - last.at) < WHILE_MS) {
      last.passedOver += 1;
      return;
    }
    const more = last !== undefined && last.passedOver > 0 ? { passed_over: last.passedOver } : {};
    this.#log.warn(event, { ...fields, ...more });
    this.#said.set(event, { at: now, passedOver: 0 });
  }
}
