// A bounded reader of the WebAssembly binary format (core specification 2.0, section 5).
import { WasiError } from "../errors.ts";

/** V8 compiles no module with more types, imports, functions or exports. */
const MAXIMUM_COUNT = 1_000_000;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** Reads forward through bytes; every length is checked against what is left. */
export class ModuleReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  byte(): number {
    const value = this.at < this.end ? this.bytes[this.at] : undefined;
    if (value === undefined) throw malformed("it ends in the middle");
    this.at += 1;
    return value;
  }

  /** An unsigned number of 32 bits, LEB128 in at most five bytes. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break;
        return value;
      }
    }
    throw malformed("a number is too long");
  }

  /** Passes over a number of any kind, up to 64 bits. */
  skipNumber(): void {
    for (let length = 0; length < 10; length += 1) if (this.byte() < 0x80) return;
    throw malformed("a number is too long");
  }

  /** A count of items that take at least `size` bytes each, so that it cannot promise more than there is. */
  count(size: number): number {
    const count = this.u32();
    if (count > MAXIMUM_COUNT) throw malformed(`a count is over ${MAXIMUM_COUNT}`);
    if (count * size > this.left) throw malformed("a count is larger than what follows");
    return count;
  }

  /** A reader over the next bytes, which are skipped here. */
  part(length: number): ModuleReader {
    if (length > this.left) throw malformed("a length is larger than what follows");
    const part = new ModuleReader(this.bytes, this.at, this.at + length);
    this.at += length;
    return part;
  }

  /** A name: a length and that many bytes of UTF-8. */
  name(): string {
    const part = this.part(this.u32());
    try {
      return UTF8.decode(this.bytes.subarray(part.at, part.end));
    } catch (cause) {
      throw malformed("a name is not UTF-8", cause);
    }
  }
}

/** An unsigned number of 32 bits as LEB128. */
export function encodeU32(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

/** The error of bytes that are no module. */
export function malformed(why: string, cause?: unknown): WasiError {
  return new WasiError("MODULE_MALFORMED", `not a WebAssembly module: ${why}`, { cause });
}
