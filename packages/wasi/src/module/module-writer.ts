// Bytes that are written one after the other. A module of a million functions is written so with two arrays, where a list
// of its parts would take more memory than the module many times over.
import type { ModuleBytes } from "./layout.ts";
import { encodeU32 } from "./reader.ts";

/** Up to here bytes are copied one by one: it takes less than a view of them would. */
const FEW_BYTES = 24;

/** Grows as it is written to. */
export class ModuleWriter {
  #bytes: ModuleBytes;
  #length = 0;

  /** @param expected bytes that it has room for before it grows */
  constructor(expected: number) {
    this.#bytes = new Uint8Array(expected);
  }

  /** How many bytes were written. */
  get length(): number {
    return this.#length;
  }

  /** What was written, not copied: it holds until the next write. */
  get written(): ModuleBytes {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Begins anew, in the same memory. */
  clear(): void {
    this.#length = 0;
  }

  /** Adds a range of bytes. */
  copy(from: Uint8Array, start = 0, end: number = from.length): void {
    const count = end - start;
    if (this.#length + count > this.#bytes.length) this.#grow(this.#length + count);
    if (count > FEW_BYTES) this.#bytes.set(from.subarray(start, end), this.#length);
    else {
      for (let at = 0; at < count; at += 1) {
        this.#bytes[this.#length + at] = from[start + at] as number;
      }
    }
    this.#length += count;
  }

  /** Adds an unsigned number of 32 bits as LEB128. */
  u32(value: number): void {
    this.copy(Uint8Array.from(encodeU32(value)));
  }

  #grow(least: number): void {
    const larger = new Uint8Array(Math.max(least, this.#bytes.length * 2));
    larger.set(this.written);
    this.#bytes = larger;
  }
}
