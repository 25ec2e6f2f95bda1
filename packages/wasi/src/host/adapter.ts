// A thin module between the guest and the host's calls. JavaScript gets a 64-bit integer as an object made for the call;
// here it becomes two numbers of 32 bits, low and high, which cost nothing. What needs no host is answered at once.
import { encodeU32 } from "../module/reader.ts";

/** A call with plain numbers: a 64-bit parameter is two of them, low half first. */
export type PlainCall = (...values: number[]) => unknown;

const I32 = 0x7f;
const I64 = 0x7e;
const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const modules = new Map<string, WebAssembly.Module>();

/** The value of two halves, as an unsigned number; exact up to 2^53. */
export function unsigned(low: number, high: number): number {
  return (high >>> 0) * 0x1_0000_0000 + (low >>> 0);
}

/** The value of two halves, as a signed number; exact up to 2^53. */
export function signed(low: number, high: number): number {
  return high * 0x1_0000_0000 + (low >>> 0);
}

/** The value of two halves, exact. */
export function unsignedBig(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/**
 * The calls as a guest imports them.
 * @param types of the functions, as `module/interface.ts` writes them
 * @param direct answer `sched_yield` without calling; not where calls are traced
 */
export function adapt(
  calls: Readonly<Record<string, PlainCall>>,
  types: Readonly<Record<string, string>>,
  direct: boolean,
): Record<string, (...values: never[]) => unknown> {
  const wide = Object.entries(types).filter(([, type]) => type.includes("I"));
  const constant = direct && types["sched_yield"] === ":i" ? ["sched_yield"] : [];
  const key = JSON.stringify([wide, constant]);
  const module = modules.get(key) ?? new WebAssembly.Module(build(wide, constant));
  modules.set(key, module);
  const host = Object.fromEntries(wide.map(([name]) => [name, calls[name]]));
  const { exports } = new WebAssembly.Instance(module, { host });
  return { ...calls, ...(exports as Record<string, (...values: never[]) => unknown>) };
}

function build(wide: readonly [string, string][], constant: readonly string[]): Uint8Array {
  const types = wide.flatMap(([, type]) => [functionType(type), functionType(type, true)]);
  types.push([0x60, 0, 1, I32]);
  const imports = wide.map(([name], index) => [
    ...text("host"),
    ...text(name),
    0,
    ...encodeU32(2 * index + 1),
  ]);
  const functions = [
    ...wide.map((_, index) => encodeU32(2 * index)),
    ...constant.map(() => encodeU32(types.length - 1)),
  ];
  const exports = [...wide.map(([name]) => name), ...constant].map((name, index) => [
    ...text(name),
    0,
    ...encodeU32(wide.length + index),
  ]);
  const bodies = [
    ...wide.map(([, type], index) => forward(type, index)),
    ...constant.map(() => [0, 0x41, 0, 0x0b]),
  ];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(SECTION.type, types),
    ...section(SECTION.import, imports),
    ...section(SECTION.function, functions),
    ...section(SECTION.export, exports),
    ...section(
      SECTION.code,
      bodies.map((body) => [...encodeU32(body.length), ...body]),
    ),
    // The module's name, by which traces of a full stack are told from the guest's.
    ...custom("name", [0, ...sized(text(ADAPTER_NAME))]),
  ]);
}

/** Name of the module in V8's stack traces. */
export const ADAPTER_NAME = "holdfast-adapter";

function functionType(type: string, split = false): number[] {
  const [parameters = "", results = ""] = type.split(":");
  const kinds = [...parameters].flatMap((letter) => {
    if (letter === "i") return [I32];
    return split ? [I32, I32] : [I64];
  });
  return [0x60, kinds.length, ...kinds, results.length, ...[...results].map(() => I32)];
}

/** Pushes all parameters, the wide ones in halves, and calls. */
function forward(type: string, callee: number): number[] {
  const [parameters = ""] = type.split(":");
  const pushes = [...parameters].flatMap((letter, index) => {
    const get = [0x20, index];
    // i32.wrap_i64; i64.const 32, i64.shr_u, i32.wrap_i64
    return letter === "i" ? get : [...get, 0xa7, ...get, 0x42, 32, 0x88, 0xa7];
  });
  return [0, ...pushes, 0x10, ...encodeU32(callee), 0x0b];
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  return [id, ...sized([...encodeU32(items.length), ...items.flat()])];
}

function custom(name: string, content: readonly number[]): number[] {
  return [0, ...sized([...text(name), ...content])];
}

function sized(bytes: readonly number[]): number[] {
  return [...encodeU32(bytes.length), ...bytes];
}

function text(value: string): number[] {
  return sized([...new TextEncoder().encode(value)]);
}
