// How long keeps have been on their way up, as this process saw it: by a clock that nobody sets, for a jump of the other one
// must not end a keep that starts.
import { performance } from "node:perf_hooks";

/** Ages of keeps that do not serve yet. */
export class KeepAges {
  readonly #since = new Map<string, number>();

  /** Milliseconds since it was first asked how old a keep is. */
  of(id: string): number {
    const now = performance.now();
    const since = this.#since.get(id) ?? now;
    this.#since.set(id, since);
    return now - since;
  }

  /** It serves, or is over. */
  forget(id: string): void {
    this.#since.delete(id);
  }
}
