// How many refusals the log takes. Anybody may ask and be refused; without a bound anybody could fill the disk and keep
// it busy. What goes over the bound is counted, and the count is on the log with the next refusal that fits.
import type { Clock } from "@holdfast/core";

/** Decides whether a refusal is written out. */
export class RefusalBudget {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #windowMs: number;
  #windowEnds = 0;
  #used = 0;
  #passedOver = 0;

  /** @param most refusals written out in each window */
  constructor(clock: Clock, most = 120, windowMs = 60_000) {
    this.#clock = clock;
    this.#most = most;
    this.#windowMs = windowMs;
  }

  /** Takes one refusal: how many were passed over since the last that fitted, or undefined when this one is, too. */
  take(): number | undefined {
    const now = this.#clock.now().getTime();
    if (now >= this.#windowEnds) {
      this.#windowEnds = now + this.#windowMs;
      this.#used = 0;
    }
    if (this.#used >= this.#most) {
      this.#passedOver += 1;
      return undefined;
    }
    this.#used += 1;
    const passedOver = this.#passedOver;
    this.#passedOver = 0;
    return passedOver;
  }
}
