// Reads through the instructions of a function body (WebAssembly core specification 3.0, section 5.4): where each begins
// and ends, whatever it does. Of those on collected types only the ones are known that need no type of their own.
import { WasiError } from "../errors.ts";
import type { ModuleReader } from "./reader.ts";

/** An instruction: its code, that behind a prefix included, as `prefix << 16 | code`. */
export type Opcode = number;

/** Codes whose first byte says that another number follows. */
export const PREFIX = { collected: 0xfb, bulk: 0xfc, simd: 0xfd, atomic: 0xfe } as const;

/** The code of an instruction behind a prefix. */
export function prefixed(prefix: number, code: number): Opcode {
  return prefix * 0x1_0000 + code;
}

/** What stands behind the code of an instruction: so many small indices, or one of these. */
const PLAIN = 0;
const BLOCK_TYPE = 3;
const MEMORY = 4;
const OTHER = 5;

/** By first byte; there are tens of millions of instructions in a large module. */
const BEHIND: Uint8Array = behindFirst();

function behindFirst(): Uint8Array {
  const behind = new Uint8Array(256).fill(OTHER);
  const put = (kind: number, ...codes: number[]): void => {
    for (const code of codes) behind[code] = kind;
  };
  put(PLAIN, 0x00, 0x01, 0x05, 0x0a, 0x0b, 0x0f, 0x19, 0x1a, 0x1b, 0xd1, 0xd3, 0xd4);
  behind.fill(PLAIN, 0x45, 0xc5);
  put(1, 0x07, 0x08, 0x09, 0x0c, 0x0d, 0x10, 0x12, 0x14, 0x15, 0x18);
  behind.fill(1, 0x20, 0x27);
  // Constants are one number as well.
  put(1, 0x3f, 0x40, 0x41, 0x42, 0xd0, 0xd2, 0xd5, 0xd6);
  put(2, 0x11, 0x13);
  put(BLOCK_TYPE, 0x02, 0x03, 0x04, 0x06);
  behind.fill(MEMORY, 0x28, 0x3f);
  return behind;
}

/** How many indices stand behind instructions of the prefixes that have nothing else. */
const INDICES: ReadonlyMap<Opcode, number> = new Map([
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((code) => [prefixed(PREFIX.bulk, code), 0] as const),
  ...[8, 10, 12, 14].map((code) => [prefixed(PREFIX.bulk, code), 2] as const),
  ...[9, 11, 13, 15, 16, 17].map((code) => [prefixed(PREFIX.bulk, code), 1] as const),
  // ref.test and ref.cast; conversions and small integers.
  ...[20, 21, 22, 23].map((code) => [prefixed(PREFIX.collected, code), 1] as const),
  ...[26, 27, 28, 29, 30].map((code) => [prefixed(PREFIX.collected, code), 0] as const),
]);

/** Reads one instruction. @throws WasiError MODULE_FEATURE, MODULE_MALFORMED */
export function readInstruction(reader: ModuleReader): Opcode {
  const first = reader.byte();
  const behind = BEHIND[first] ?? OTHER;
  if (behind <= 2) {
    for (let left = behind; left > 0; left -= 1) reader.skipNumber();
    return first;
  }
  if (behind === BLOCK_TYPE) skipBlockType(reader);
  else if (behind === MEMORY) skipMemoryArgument(reader);
  else if (first >= PREFIX.collected && first <= PREFIX.atomic) return readPrefixed(reader, first);
  else skipOther(reader, first);
  return first;
}

function readPrefixed(reader: ModuleReader, prefix: number): Opcode {
  const code = reader.u32();
  const opcode = prefixed(prefix, code);
  const indices = INDICES.get(opcode);
  if (indices !== undefined) {
    for (let left = indices; left > 0; left -= 1) reader.skipNumber();
  } else if (prefix === PREFIX.simd) skipSimd(reader, code);
  else if (prefix === PREFIX.atomic) skipAtomic(reader, code);
  else skipOther(reader, opcode);
  return opcode;
}

function skipOther(reader: ModuleReader, opcode: Opcode): void {
  switch (opcode) {
    // br_table
    case 0x0e:
      for (let left = reader.count(1) + 1; left > 0; left -= 1) reader.skipNumber();
      return;
    // select with types
    case 0x1c:
      for (let left = reader.count(1); left > 0; left -= 1) skipBlockType(reader);
      return;
    // try_table
    case 0x1f:
      skipBlockType(reader);
      for (let left = reader.count(2); left > 0; left -= 1) {
        const catchesAll = reader.byte() >= 2;
        if (!catchesAll) reader.skipNumber();
        reader.skipNumber();
      }
      return;
    case 0x43:
      reader.part(4);
      return;
    case 0x44:
      reader.part(8);
      return;
    // br_on_cast and br_on_cast_fail: flags, a label, two types.
    case prefixed(PREFIX.collected, 24):
    case prefixed(PREFIX.collected, 25):
      reader.byte();
      for (let left = 3; left > 0; left -= 1) reader.skipNumber();
      return;
    default:
      throw unknown(opcode);
  }
}

/** Nothing, a value type, or the number of a function type. */
function skipBlockType(reader: ModuleReader): void {
  const first = reader.bytes[reader.at];
  reader.skipNumber();
  // References that name a type have its number behind.
  if (first === 0x63 || first === 0x64) reader.skipNumber();
}

function skipMemoryArgument(reader: ModuleReader): void {
  const alignment = reader.u32();
  // A memory's number, where there are several.
  if ((alignment & 0x40) !== 0) reader.skipNumber();
  reader.skipNumber();
}

function skipSimd(reader: ModuleReader, code: number): void {
  const hasMemory = code <= 11 || (code >= 84 && code <= 93);
  if (hasMemory) skipMemoryArgument(reader);
  if (code === 12 || code === 13) reader.part(16);
  const hasLane = (code >= 21 && code <= 34) || (code >= 84 && code <= 91);
  if (hasLane) reader.byte();
}

function skipAtomic(reader: ModuleReader, code: number): void {
  if (code === 3) reader.byte();
  else if (code <= 0x4e) skipMemoryArgument(reader);
  else throw unknown(prefixed(PREFIX.atomic, code));
}

function unknown(opcode: Opcode): WasiError {
  return new WasiError("MODULE_FEATURE", `instruction 0x${opcode.toString(16)} is not known`);
}
