// How often, and by whom, an output may be read. The nearest entry decides, as with rights; each answer that hands out
// bytes counts, a part as much as a whole, for parts add up to a whole, and one that broke off as much as one that did
// not, for nobody but the reader knows what arrived. Only a read of which no byte went out does not count.
import { ancestors, type Policy, type PolicyIdentity, type ReadLimit } from "@holdfast/policy";
import { KeepError } from "../errors.ts";

/** Reads so far. */
export class ReadCounts {
  readonly #limits: ReadonlyMap<string, ReadLimit>;
  readonly #counts = new Map<string, number>();

  constructor(policy: Policy) {
    this.#limits = new Map(policy.terms.readLimits.map((limit) => [limit.path, limit]));
  }

  /**
   * Counts a read of a path, or refuses it.
   * @returns takes the count back, once; for a read of which nothing went out
   * @throws KeepError READ_LIMIT
   */
  take(path: string, reader: PolicyIdentity): () => void {
    const limit = this.#limitOn(path);
    if (limit === undefined) return () => undefined;
    if (limit.identities !== undefined && !limit.identities.includes(reader.id)) {
      throw new KeepError("READ_LIMIT", "the policy lets other identities read this path");
    }
    if (limit.times === undefined) return () => undefined;
    const count = this.#counts.get(path) ?? 0;
    if (count >= limit.times) {
      throw new KeepError("READ_LIMIT", `the policy lets this path be read ${limit.times} times`);
    }
    this.#counts.set(path, count + 1);
    let isCounted = true;
    return () => {
      if (isCounted) this.#counts.set(path, (this.#counts.get(path) ?? 1) - 1);
      isCounted = false;
    };
  }

  #limitOn(path: string): ReadLimit | undefined {
    for (const at of ancestors(path)) {
      const limit = this.#limits.get(at);
      if (limit !== undefined) return limit;
    }
    return undefined;
  }
}
