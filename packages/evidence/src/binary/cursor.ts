// Walks a binary structure from front to back. Every read is bounded; numbers come in the byte order the cursor was made
// for. Bytes are views of the input, never copies.
import { toHex } from "@holdfast/core";
import { malformed } from "../errors.ts";

/** Byte order of numbers. */
export type ByteOrder = "little" | "big";

/** A position in bytes that only moves forward. */
export class ByteCursor {
  readonly #input: Uint8Array;
  readonly #view: DataView;
  readonly #little: boolean;
  readonly #where: string;
  #at = 0;

  /** @param where what is being read, for messages: `SNP report` */
  constructor(input: Uint8Array, order: ByteOrder, where: string) {
    this.#input = input;
    this.#view = new DataView(input.buffer, input.byteOffset, input.byteLength);
    this.#little = order === "little";
    this.#where = where;
  }

  /** How many bytes were read. */
  get at(): number {
    return this.#at;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#input.length - this.#at;
  }

  /** The next bytes. */
  bytes(length: number, what: string): Uint8Array {
    if (length > this.left) {
      throw malformed(`${this.#where}: ${what} of ${length} bytes reaches past the end`);
    }
    this.#at += length;
    return this.#input.subarray(this.#at - length, this.#at);
  }

  /** Whatever is left. */
  rest(): Uint8Array {
    return this.bytes(this.left, "rest");
  }

  u8(what: string): number {
    return this.#number(1, what, (at) => this.#view.getUint8(at));
  }

  u16(what: string): number {
    return this.#number(2, what, (at) => this.#view.getUint16(at, this.#little));
  }

  u32(what: string): number {
    return this.#number(4, what, (at) => this.#view.getUint32(at, this.#little));
  }

  u64(what: string): bigint {
    return this.#number(8, what, (at) => this.#view.getBigUint64(at, this.#little));
  }

  /** Bytes that mean nothing yet and must be zero: what a later version puts there would go unjudged. */
  zeros(length: number, what: string): void {
    if (this.bytes(length, what).some((byte) => byte !== 0)) {
      throw malformed(`${this.#where}: ${what} is not zero`);
    }
  }

  /** Refuses bytes that nobody asked for. */
  end(): void {
    if (this.left > 0) throw malformed(`${this.#where}: ${this.left} bytes after the end`);
  }

  #number<T>(length: number, what: string, read: (at: number) => T): T {
    const at = this.#at;
    this.bytes(length, what);
    return read(at);
  }
}

/** Bytes of one length, else refused. */
export function exactly(input: Uint8Array, length: number, where: string): Uint8Array {
  if (input.length === length) return input;
  throw malformed(`${where}: ${input.length} bytes, ${length} expected`);
}

/** A number as people write it in hexadecimal: `0x3001f`. */
export function hexNumber(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** Whether a text is bytes in hexadecimal that equal the given ones; case does not matter. */
export function equalsHex(bytes: Uint8Array, text: string): boolean {
  return toHex(bytes) === text.toLowerCase();
}
