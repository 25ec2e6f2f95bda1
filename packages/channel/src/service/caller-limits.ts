// How often an address may ask, and how much less often it may show proofs that are no good. Whoever showed a good one
// before is not kept out by others' wrong ones.
import { createHash } from "node:crypto";
import { type Allowance, Buckets, type Rate } from "./buckets.ts";

/** Rates of what is told apart by address. */
export interface CallerRates {
  /** Of each address, whoever asks from there. */
  readonly address: Rate;
  /** Of proofs from an address that were no good. */
  readonly failures: Rate;
}

/** Which rate was gone over, and how things stand with it. */
export interface OverRate {
  readonly policy: string;
  readonly rate: Rate;
  readonly allowance: Allowance;
}

const MAXIMUM_PROOFS = 10_000;

/** The limits of a process. What is undefined may go on. */
export class CallerLimits {
  readonly #addresses: Buckets;
  readonly #failures: Buckets;
  /** Digests of proofs that were good when they were looked at last. */
  readonly #good = new Set<string>();

  /** @param now milliseconds that only go forward */
  constructor({ address, failures }: CallerRates, now?: () => number) {
    this.#addresses = new Buckets(address, now);
    this.#failures = new Buckets(failures, now);
  }

  /** Somebody asks. */
  arrived(address: string): OverRate | undefined {
    return overRate("address", this.#addresses, this.#addresses.take(networkOf(address)));
  }

  /** Somebody shows a proof, which nobody has looked at yet. */
  proves(proof: string, address: string): OverRate | undefined {
    if (this.#good.has(digestOf(proof))) return undefined;
    return overRate("failures", this.#failures, this.#failures.look(networkOf(address)));
  }

  /** The proof was no good. */
  failed(proof: string, address: string): void {
    this.#good.delete(digestOf(proof));
    this.#failures.take(networkOf(address));
  }

  /** The proof was good. */
  held(proof: string): void {
    const digest = digestOf(proof);
    this.#good.delete(digest);
    this.#good.add(digest);
    const [oldest] = this.#good;
    if (this.#good.size > MAXIMUM_PROOFS && oldest !== undefined) this.#good.delete(oldest);
  }
}

/** What an allowance of a rate comes to: undefined when it was allowed. */
export function overRate(
  policy: string,
  { rate }: Pick<Buckets, "rate">,
  allowance: Allowance,
): OverRate | undefined {
  return allowance.allowed ? undefined : { policy, rate, allowance };
}

/** Headers that say what is left of a rate (draft-ietf-httpapi-ratelimit-headers). */
export function rateHeaders({ policy, rate, allowance }: OverRate): Record<string, string> {
  const { burst, perSecond } = rate;
  return {
    "ratelimit-policy": `"${policy}";q=${burst};w=${Math.ceil(burst / perSecond)}`,
    ratelimit: `"${policy}";r=${allowance.remaining};t=${allowance.waitSeconds}`,
  };
}

/** Whoever has one address of a network of IPv6 has all of its addresses. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(":")) return address;
  const [head = ""] = address.split("::");
  return `${head.split(":").slice(0, 4).join(":")}::/64`;
}

function digestOf(proof: string): string {
  return createHash("sha256").update(proof).digest("base64");
}
