// Challenges: random, good once, for a short time, and never more than a fixed number of them.
import { randomBytes, randomUUID } from "node:crypto";
import { type Check, type Clock, check } from "@holdfast/core";

/** A challenge that evidence can be made over. */
export interface Challenge {
  readonly id: string;
  readonly nonce: Uint8Array;
  readonly expiresAt: Date;
}

const MOST = 10_000;

/** The challenges that are open. They live in memory: after a restart attesters ask again. */
export class Challenges {
  readonly #open = new Map<string, Challenge>();
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  readonly #most: number;

  constructor(clock: Clock, lifetimeMs: number, most: number = MOST) {
    this.#clock = clock;
    this.#lifetimeMs = lifetimeMs;
    this.#most = most;
  }

  /** A new challenge. The oldest makes room: whoever floods must do it faster than honest attesters answer. */
  issue(): Challenge {
    this.#dropExpired();
    const [oldest] = this.#open.keys();
    if (oldest !== undefined && this.#open.size >= this.#most) this.#open.delete(oldest);
    const challenge = {
      id: randomUUID(),
      nonce: Uint8Array.from(randomBytes(32)),
      expiresAt: new Date(this.#clock.now().getTime() + this.#lifetimeMs),
    };
    this.#open.set(challenge.id, challenge);
    return challenge;
  }

  /** The challenge, which is used up by this; undefined when it is unknown, used or expired. */
  take(id: string): Challenge | undefined {
    const challenge = this.#open.get(id);
    this.#open.delete(id);
    return challenge !== undefined && challenge.expiresAt > this.#clock.now()
      ? challenge
      : undefined;
  }

  #dropExpired(): void {
    const now = this.#clock.now();
    // In order of making, hence of expiry.
    for (const [id, { expiresAt }] of this.#open) {
      if (expiresAt > now) return;
      this.#open.delete(id);
    }
  }
}

/** The check that a challenge was there to take. */
export function challengeCheck(challenge: Challenge | undefined): Check {
  return check(
    "challenge.open",
    challenge !== undefined,
    challenge === undefined
      ? "the challenge is unknown, used or expired"
      : "the challenge was open, and is used up now",
  );
}
