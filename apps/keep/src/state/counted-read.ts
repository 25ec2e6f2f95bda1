// A read that counts only once something of it is handed out. A generator would not do: one that was not begun does not
// hear that it is left.

/** Parts of a read that was counted. Leaving it before anything was taken gives the count back. */
export class CountedRead implements IterableIterator<Uint8Array> {
  readonly #parts: Iterator<Uint8Array>;
  readonly #giveBack: () => void;
  #isBegun = false;

  constructor(parts: Iterable<Uint8Array>, giveBack: () => void) {
    this.#parts = parts[Symbol.iterator]();
    this.#giveBack = giveBack;
  }

  next(): IteratorResult<Uint8Array> {
    this.#isBegun = true;
    return this.#parts.next();
  }

  return(): IteratorResult<Uint8Array> {
    if (!this.#isBegun) this.#giveBack();
    this.#parts.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }
}
