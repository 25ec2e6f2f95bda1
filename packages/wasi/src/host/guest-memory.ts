// The guest's linear memory. Views are made once and again only when the memory has grown: growing detaches the old
// buffer, whose length then reads as zero. Numbers are little-endian, as WebAssembly and all machines Node runs on are.
import { Buffer } from "node:buffer";

const NOTHING = new ArrayBuffer(0);

/** Views of a guest's memory; before it is attached every pointer is outside. */
export class GuestMemory {
  bytes: Uint8Array = new Uint8Array(NOTHING);
  buffer: Buffer = Buffer.from(NOTHING);
  #words = new Uint32Array(NOTHING);
  #view = new DataView(NOTHING);
  #memory: WebAssembly.Memory | undefined;

  attach(memory: WebAssembly.Memory): void {
    this.#memory = memory;
    this.refresh();
  }

  /** Makes the views anew. @returns the size in bytes */
  refresh(): number {
    const memory = this.#memory?.buffer ?? NOTHING;
    this.bytes = new Uint8Array(memory);
    this.buffer = Buffer.from(memory);
    this.#words = new Uint32Array(memory);
    this.#view = new DataView(memory);
    return memory.byteLength;
  }

  /** Whether a range lies inside; both numbers are unsigned. */
  fits(at: number, length: number): boolean {
    return at + length <= this.bytes.length;
  }

  u8(at: number): number {
    return this.bytes[at] ?? 0;
  }

  u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  u32(at: number): number {
    return (at & 3) === 0 ? (this.#words[at >>> 2] ?? 0) : this.#view.getUint32(at, true);
  }

  u64(at: number): bigint {
    return this.#view.getBigUint64(at, true);
  }

  setU8(at: number, value: number): void {
    this.bytes[at] = value;
  }

  setU16(at: number, value: number): void {
    this.#view.setUint16(at, value, true);
  }

  setU32(at: number, value: number): void {
    if ((at & 3) === 0) this.#words[at >>> 2] = value;
    else this.#view.setUint32(at, value, true);
  }

  /** A whole number up to 2^64, exact as far as a number is. */
  setU64(at: number, value: number): void {
    const high = Math.floor(value / 0x1_0000_0000);
    this.setU32(at, value - high * 0x1_0000_0000);
    this.setU32(at + 4, high);
  }

  setBigU64(at: number, value: bigint): void {
    this.#view.setBigUint64(at, value, true);
  }

  /** Text of a range that was checked. @returns undefined when it is not UTF-8 */
  text(at: number, length: number): string | undefined {
    const text = this.buffer.toString("utf8", at, at + length);
    // A replacement character is either in the bytes, or stands for bytes that are no UTF-8.
    if (!text.includes("\ufffd")) return text;
    return Buffer.byteLength(text) === length && this.#isExact(text, at) ? text : undefined;
  }

  #isExact(text: string, at: number): boolean {
    const encoded = Buffer.from(text);
    return encoded.equals(this.bytes.subarray(at, at + encoded.length));
  }
}
