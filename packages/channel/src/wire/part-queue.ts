// A body between the socket that receives it and its reader, who may come later and be slower.

type Step = IteratorResult<Uint8Array, undefined>;

interface Waiting {
  resolve(step: Step): void;
  reject(fault: unknown): void;
}

/** Bytes that may wait for their reader. */
const HIGH_WATER = 1024 * 1024;

/** Parts in order, then the end or a fault. */
export class PartQueue implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #onRoom: () => void;
  readonly #onLeave: () => void;
  readonly #waiting: Waiting[] = [];
  #parts: Uint8Array[] = [];
  #size = 0;
  #isOver = false;
  #fault: { readonly thrown: unknown } | undefined;

  /**
   * @param onRoom called when the reader has made room in a queue that was full
   * @param onLeave called when the reader leaves before the end
   */
  constructor(onRoom: () => void, onLeave: () => void) {
    this.#onRoom = onRoom;
    this.#onLeave = onLeave;
  }

  /** Whether no more should come before the reader has taken some. */
  get isFull(): boolean {
    return this.#size >= HIGH_WATER;
  }

  push(part: Uint8Array): void {
    if (this.#isOver) return;
    const reader = this.#waiting.shift();
    if (reader !== undefined) {
      reader.resolve({ value: part, done: false });
      return;
    }
    this.#size += part.length;
    const last = this.#parts.at(-1);
    if (last === undefined || !follows(last, part)) this.#parts.push(part);
    else this.#parts[this.#parts.length - 1] = joined(last, part);
  }

  end(): void {
    this.#isOver = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve({ value: undefined, done: true });
  }

  /** What was received before is still to be had; then reading throws. */
  fail(thrown: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#fault = { thrown };
    for (const { reject } of this.#waiting.splice(0)) reject(thrown);
  }

  next(): Promise<Step> {
    const part = this.#parts.shift();
    if (part !== undefined) {
      const wasFull = this.isFull;
      this.#size -= part.length;
      if (wasFull && !this.isFull) this.#onRoom();
      return Promise.resolve({ value: part, done: false });
    }
    if (this.#fault !== undefined) return Promise.reject(this.#fault.thrown);
    if (this.#isOver) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<Step> {
    this.#parts = [];
    this.#size = 0;
    this.#fault = undefined;
    if (!this.#isOver) {
      this.end();
      this.#onLeave();
    }
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** Whether two parts lie side by side in the same memory. */
function follows(first: Uint8Array, second: Uint8Array): boolean {
  return first.buffer === second.buffer && first.byteOffset + first.length === second.byteOffset;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  return new Uint8Array(first.buffer, first.byteOffset, first.length + second.length);
}
