// Token buckets: each key may do so much at once, and so much a second in the long run. Keys are bounded in number; the
// one that was quiet longest is forgotten first.
import { performance } from "node:perf_hooks";

/** How much is allowed. */
export interface Rate {
  readonly perSecond: number;
  /** At once. */
  readonly burst: number;
}

/** What asking came to. */
export interface Allowance {
  readonly allowed: boolean;
  /** What could be asked for at once now. */
  readonly remaining: number;
  /** Whole seconds until there is one more; 0 when there is one. */
  readonly waitSeconds: number;
  /** The refusals since the last time that something was allowed, this one included. */
  readonly refused: number;
}

interface Bucket {
  level: number;
  at: number;
  refused: number;
}

const MAXIMUM_KEYS = 10_000;

/** Buckets of one rate. */
export class Buckets {
  readonly rate: Rate;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param now milliseconds that only go forward */
  constructor(rate: Rate, now: () => number = () => performance.now()) {
    this.rate = rate;
    this.#now = now;
  }

  /** Takes one, if there is one. */
  take(key: string): Allowance {
    return this.#ask(key, 1);
  }

  /** Whether there is one; takes none. */
  look(key: string): Allowance {
    return this.#ask(key, 0);
  }

  #ask(key: string, amount: 0 | 1): Allowance {
    const bucket = this.#filled(key);
    const allowed = bucket.level >= 1;
    if (allowed) bucket.level -= amount;
    bucket.refused = allowed ? 0 : bucket.refused + 1;
    return {
      allowed,
      remaining: Math.floor(bucket.level),
      waitSeconds:
        bucket.level >= 1 ? 0 : Math.max(1, Math.ceil((1 - bucket.level) / this.rate.perSecond)),
      refused: bucket.refused,
    };
  }

  #filled(key: string): Bucket {
    const now = this.#now();
    const { burst, perSecond } = this.rate;
    const bucket = this.#buckets.get(key) ?? { level: burst, at: now, refused: 0 };
    bucket.level = Math.min(burst, bucket.level + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > MAXIMUM_KEYS && oldest !== undefined) this.#buckets.delete(oldest);
    return bucket;
  }
}
