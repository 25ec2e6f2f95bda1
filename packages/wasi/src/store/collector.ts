// Shared memory lives as long as any thread's wrapper of it, and V8 does not count it: a thread that makes little garbage
// of its own would hold on to gigabytes of files that are long replaced. So what a thread lets go of is counted here, and
// when it is much, its garbage is collected.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Counts what is let go, and collects. */
export class Collector {
  readonly #most: number;
  readonly #collect: () => void;
  #waiting = 0;

  /**
   * @param most bytes that may wait to be collected
   * @param collect does it; the default is V8's own full collection
   */
  constructor(most: number, collect?: () => void) {
    this.#most = most;
    this.#collect = collect ?? lazily(fullCollection);
  }

  /** Notes bytes that nothing refers to any more, or in a moment will not. */
  letGo(bytes: number): void {
    this.#waiting += bytes;
    if (this.#waiting <= this.#most) return;
    this.#waiting = 0;
    this.#collect();
  }
}

function lazily(make: () => () => void): () => void {
  let made: (() => void) | undefined;
  return () => {
    made ??= make();
    made();
  };
}

/** A context that is made while the flag is set has the function, whatever flags the process was started with. */
function fullCollection(): () => void {
  if (globalThis.gc !== undefined) return globalThis.gc;
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  return collect;
}
