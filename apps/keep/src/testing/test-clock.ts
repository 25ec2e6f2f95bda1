// A clock that tests move.
import type { Clock } from "@holdfast/core";

/** A clock that starts at the machine's time and stands still until it is moved. */
export class TestClock implements Clock {
  #now = Date.now();

  now(): Date {
    return new Date(this.#now);
  }

  /** Moves time on. */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
