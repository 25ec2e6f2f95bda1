// Makes a program stoppable. V8 looks whether a thread is to end where a function begins, and in loops only after so many
// bytes of code: a loop around an instruction that fills megabytes goes on for minutes, and one such instruction for a
// second. So large fills and copies are done in parts, and every instruction that may take long is followed by a call of
// a function that does nothing but begin.
import { type Opcode, PREFIX, prefixed } from "./instructions.ts";
import { encodeU32 } from "./reader.ts";
import type { EditInstruction, Editor } from "./rewrite-code.ts";

const bulk = (code: number): Opcode => prefixed(PREFIX.bulk, code);
const MEMORY_COPY = bulk(10);
const MEMORY_FILL = bulk(11);
const MEMORY_GROW = 0x40;
/** memory.init, table.init, table.copy, table.grow, table.fill. */
const LONG_CODES = [8, 12, 14, 15, 17];
const LONG: ReadonlySet<Opcode> = new Set([MEMORY_GROW, ...LONG_CODES.map(bulk)]);
/** Codes behind the prefix that are edited, as bits. */
const EDITED = [10, 11, ...LONG_CODES].reduce((bits, code) => bits | (1 << code), 0);

/** Bytes that are filled or copied at once: a millisecond or two. */
const PART_BYTES = 8 * 1024 * 1024;

/** Functions that are put behind a module's own: what each takes, and its body. */
export interface Added {
  /** Whether any instruction was changed, so that they are needed. */
  used: boolean;
  /** i32 parameters of each. */
  readonly parameters: readonly number[];
  readonly bodies: readonly Uint8Array[];
}

/**
 * The edits, and the functions they call.
 * @param first number of the first added function: imported and own ones come before
 */
export function interruptible(first: number): Editor & { readonly added: Added } {
  const [check, fill, copy] = [first, first + 1, first + 2];
  const added: Added = {
    used: false,
    parameters: [0, 3, 3],
    bodies: [Uint8Array.of(0, 0x0b), fillBody(check), copyBody(check)],
  };
  const calls = {
    check: Uint8Array.from(callOf(check)),
    fill: Uint8Array.from(callOf(fill)),
    copy: Uint8Array.from(callOf(copy)),
  };
  const edit: EditInstruction = (opcode) => {
    const change =
      opcode === MEMORY_FILL
        ? { instead: calls.fill }
        : opcode === MEMORY_COPY
          ? { instead: calls.copy }
          : LONG.has(opcode)
            ? { behind: calls.check }
            : undefined;
    if (change !== undefined) added.used = true;
    return change;
  };
  return { edit, concerns, added };
}

/** Whether the bytes of such an instruction stand in a body, wherever. Numbers may be longer than they need to be. */
function concerns(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at];
    if (byte !== PREFIX.bulk && byte !== MEMORY_GROW) continue;
    const next = (bytes[at + 1] ?? 0) & 0x7f;
    if (byte === MEMORY_GROW ? next === 0 : next < 32 && (EDITED & (1 << next)) !== 0) return true;
  }
  return false;
}

const [TO, FROM, LENGTH] = [0, 1, 2];
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const PART = [0x41, ...signed(PART_BYTES)];
const ADD = 0x6a;
const SUBTRACT = 0x6b;
/** Whether more than a part is left; lengths are unsigned. */
const MORE = [...get(LENGTH), ...PART, 0x4b];

/** A function of to, value and length. */
function fillBody(check: number): Uint8Array {
  const fill = (length: readonly number[]): number[] => [
    ...[...get(TO), ...get(FROM), ...length],
    ...[PREFIX.bulk, 11, 0],
    ...callOf(check),
  ];
  return Uint8Array.from([
    0,
    ...atOnce(fill(get(LENGTH)), [TO]),
    ...whileMore([...fill(PART), ...moveOn(TO)]),
    ...fill(get(LENGTH)),
    0x0b,
  ]);
}

/** A function of to, from and length. Where both overlap nothing is overwritten before it was copied. */
function copyBody(check: number): Uint8Array {
  const copy = (to: readonly number[], from: readonly number[], length: readonly number[]) => [
    ...[...to, ...from, ...length],
    ...[PREFIX.bulk, 10, 0, 0],
    ...callOf(check),
  ];
  const last = (local: number): number[] => [...get(local), ...get(LENGTH), ADD, ...PART, SUBTRACT];
  const forwards = [...copy(get(TO), get(FROM), PART), ...moveOn(TO), ...moveOn(FROM)];
  const whole = copy(get(TO), get(FROM), get(LENGTH));
  return Uint8Array.from([
    0,
    ...atOnce(whole, [TO, FROM]),
    // if to is not behind from
    ...[...get(TO), ...get(FROM), 0x4d, 0x04, 0x40],
    ...whileMore(forwards),
    0x05,
    ...whileMore(copy(last(TO), last(FROM), PART)),
    0x0b,
    ...whole,
    0x0b,
  ]);
}

/** What is small, or does not lie inside memory and so traps, is done by the instruction itself. */
function atOnce(whole: readonly number[], places: readonly number[]): number[] {
  const wide = (local: number): number[] => [...get(local), 0xad];
  // i64: place + length > memory.size << 16
  const outside = places.flatMap((local) => [
    ...[...wide(local), ...wide(LENGTH), 0x7c],
    ...[0x3f, 0, 0xad, 0x42, 16, 0x86],
    ...[0x56, 0x72],
  ]);
  return [...MORE, 0x45, ...outside, 0x04, 0x40, ...whole, 0x0f, 0x0b];
}

/** Does a part, until no more than one is left. */
function whileMore(part: readonly number[]): number[] {
  const less = [...get(LENGTH), ...PART, SUBTRACT, ...set(LENGTH)];
  return [0x03, 0x40, ...part, ...less, ...MORE, 0x0d, 0, 0x0b];
}

function moveOn(local: number): number[] {
  return [...get(local), ...PART, ADD, ...set(local)];
}

function callOf(number: number): number[] {
  return [0x10, ...encodeU32(number)];
}

/** A positive number as signed LEB128. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x40) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return [...bytes, rest];
}
