// Makes a module give the same bits on every machine. WebAssembly leaves open which NaN an operation on floats answers:
// x64 makes negative ones of its own accord and ARM positive ones, and which operand's bits survive changes with the
// compiler's tier. So each result that can be such a NaN is put through a select: itself, or the one canonical NaN. What
// only moves bits (loads, constants, abs, neg, copysign, reinterpretations, pmin, pmax) is left alone, for it is exact.
import { WasiError } from "../errors.ts";
import { type Opcode, PREFIX, prefixed } from "./instructions.ts";
import { encodeU32 } from "./reader.ts";
import type { EditInstruction } from "./rewrite-code.ts";

const RELAXED_SIMD = 0x100;

/** What results are made canonical as. */
type Shape = "f32" | "f64" | "f32x4" | "f64x2";

const simd = (code: number): Opcode => prefixed(PREFIX.simd, code);
const span = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Operations that can answer a NaN of their own making. */
const MAKES_NANS: ReadonlyMap<Opcode, Shape> = new Map<Opcode, Shape>([
  // ceil to max; then demotion and promotion.
  ...span(0x8d, 0x97).map((code) => [code, "f32"] as const),
  ...span(0x9b, 0xa5).map((code) => [code, "f64"] as const),
  [0xb6, "f32"],
  [0xbb, "f64"],
  // Rounding, square root to max; demotion and promotion.
  ...[...span(103, 106), 227, ...span(228, 233), 94].map((code) => [simd(code), "f32x4"] as const),
  ...[116, 117, 122, 148, 239, ...span(240, 245), 95].map((code) => [simd(code), "f64x2"] as const),
]);

const NAN_32 = [0x00, 0x00, 0xc0, 0x7f];
const NAN_64 = [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf8, 0x7f];
const F32 = 0x7d;
const F64 = 0x7c;
const V128 = 0x7b;
const SELECT = [0x1b];
const BIT_SELECT = [PREFIX.simd, 82];

interface Replacing {
  readonly type: number;
  /** The canonical NaN as a constant; whether a value equals itself; the choice between both. */
  readonly constant: readonly number[];
  readonly equal: readonly number[];
  readonly choose: readonly number[];
}

const REPLACING: Readonly<Record<Shape, Replacing>> = {
  f32: { type: F32, constant: [0x43, ...NAN_32], equal: [0x5b], choose: SELECT },
  f64: { type: F64, constant: [0x44, ...NAN_64], equal: [0x61], choose: SELECT },
  f32x4: {
    type: V128,
    constant: [PREFIX.simd, 12, ...NAN_32, ...NAN_32, ...NAN_32, ...NAN_32],
    equal: [PREFIX.simd, 65],
    choose: BIT_SELECT,
  },
  f64x2: {
    type: V128,
    constant: [PREFIX.simd, 12, ...NAN_64, ...NAN_64],
    equal: [PREFIX.simd, 71],
    choose: BIT_SELECT,
  },
};

/**
 * Puts what makes a NaN canonical behind each operation that can answer one.
 * @throws WasiError MODULE_FEATURE for instructions whose results differ by design
 */
export const canonicalNan: EditInstruction = (opcode, local) => {
  if (opcode >= simd(RELAXED_SIMD) && opcode < prefixed(PREFIX.atomic, 0)) {
    throw new WasiError("MODULE_FEATURE", "relaxed SIMD gives other results on other machines");
  }
  const shape = MAKES_NANS.get(opcode);
  if (shape === undefined) return undefined;
  return { behind: replacement(shape, local(REPLACING[shape].type)) };
};

/** The value is on the stack: itself where it equals itself, which no NaN does. */
function replacement(shape: Shape, local: number): Uint8Array {
  const { constant, equal, choose } = REPLACING[shape];
  const number = encodeU32(local);
  const get = [0x20, ...number];
  return Uint8Array.from([0x22, ...number, ...constant, ...get, ...get, ...equal, ...choose]);
}
