// The reference values of the service: named sets in one file, changed one at a time, each change on disk before it counts.
import { createHash } from "node:crypto";
import {
  type ReferenceSetBody,
  ReferenceSetList,
  type ReferenceSetResource,
} from "@holdfast/contract";
import type { ReferenceSet } from "@holdfast/evidence";
import { TrustError } from "../errors.ts";
import { readState, writeState } from "./state-file.ts";

const MOST_SETS = 256;

/** The sets of a service. */
export class ReferenceValues {
  readonly #file: string;
  #sets: readonly ReferenceSetResource[];
  #last: Promise<unknown> = Promise.resolve();

  private constructor(file: string, sets: readonly ReferenceSetResource[]) {
    this.#file = file;
    this.#sets = sets;
  }

  /**
   * The sets kept in a file; none when there is no file.
   * @throws TrustError STATE_UNUSABLE
   */
  static async open(file: string): Promise<ReferenceValues> {
    const stored = await readState(file, ReferenceSetList);
    return new ReferenceValues(file, stored?.sets ?? []);
  }

  /** All sets, by name. */
  list(): readonly ReferenceSetResource[] {
    return this.#sets;
  }

  /** All sets, as the verifier takes them. */
  forVerifier(): ReferenceSet[] {
    return this.#sets.map(({ name, type, not_after, values }) => ({
      name,
      type,
      notAfter: new Date(not_after),
      values,
    }));
  }

  /**
   * A set.
   * @throws TrustError REFERENCE_VALUES_UNKNOWN
   */
  get(name: string): ReferenceSetResource {
    const set = this.#sets.find((each) => each.name === name);
    if (set !== undefined) return set;
    throw new TrustError("REFERENCE_VALUES_UNKNOWN", `no reference values are named ${name}`);
  }

  /**
   * Makes or replaces a set.
   * @param expected version the caller believes it replaces; anything when undefined
   * @throws TrustError REFERENCE_VALUES_CHANGED when it is another one, REQUEST_INVALID
   */
  put(
    name: string,
    body: ReferenceSetBody,
    expected?: string,
  ): Promise<{ set: ReferenceSetResource; made: boolean }> {
    return this.#change(async () => {
      const present = this.#sets.find((each) => each.name === name);
      if (Number.isNaN(Date.parse(body.not_after))) {
        throw new TrustError("REQUEST_INVALID", "body/not_after is no time");
      }
      if (present === undefined && this.#sets.length >= MOST_SETS) {
        throw new TrustError("REQUEST_INVALID", `at most ${MOST_SETS} sets`);
      }
      if (expected !== undefined && (present === undefined || versionOf(present) !== expected)) {
        throw changed();
      }
      const set = { name, ...body };
      const others = this.#sets.filter((each) => each.name !== name);
      await this.#store([...others, set].toSorted((a, b) => (a.name < b.name ? -1 : 1)));
      return { set, made: present === undefined };
    });
  }

  /**
   * Removes a set.
   * @throws TrustError REFERENCE_VALUES_UNKNOWN, REFERENCE_VALUES_CHANGED
   */
  remove(name: string, expected?: string): Promise<void> {
    return this.#change(async () => {
      const present = this.get(name);
      if (expected !== undefined && versionOf(present) !== expected) throw changed();
      await this.#store(this.#sets.filter((each) => each !== present));
    });
  }

  async #store(sets: readonly ReferenceSetResource[]): Promise<void> {
    await writeState(this.#file, { sets });
    this.#sets = sets;
  }

  #change<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(change);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

/** The version of a set, in the form of an entity tag. */
export function versionOf(set: ReferenceSetResource): string {
  return `"${createHash("sha256").update(JSON.stringify(set)).digest("base64url").slice(0, 22)}"`;
}

function changed(): TrustError {
  return new TrustError(
    "REFERENCE_VALUES_CHANGED",
    "the set is not the one you know; read it again",
  );
}
