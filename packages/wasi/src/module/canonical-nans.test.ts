// The same bits on every machine: NaNs are canonical, nothing else changes, and what can't be made so is refused.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { compileAssemblyScript } from "../testing/assemblyscript.ts";
import { clangMissing, compileC } from "../testing/clang.ts";
import { assemble, crafted } from "../testing/modules.ts";
import { admitModule } from "./admit.ts";
import { canonicalNan } from "./canonical-nans.ts";
import { ModuleReader } from "./reader.ts";
import { rewriteBodies } from "./rewrite-code.ts";

type Exports = Record<string, (...values: number[]) => unknown> & {
  readonly memory: WebAssembly.Memory;
};

/** A module with functions, as it is and with canonical NaNs. */
async function both(functions: string): Promise<[Exports, Exports]> {
  const bytes = await assemble(`(module (memory (export "memory") 1) (table 4 funcref)
    (global $g (mut f64) (f64.const 0)) (data $d "data") (elem $e func $t) (func $t)
    ${functions} (func (export "_start")))`);
  const limits = { maxMemoryMib: 1 };
  const modules = [
    await admitModule(bytes, limits),
    await admitModule(bytes, { ...limits, deterministic: true }),
  ];
  const [plain, canonical] = modules.map(
    ({ compiled }) => new WebAssembly.Instance(compiled, {}).exports as unknown as Exports,
  );
  assert.ok(plain !== undefined && canonical !== undefined);
  return [plain, canonical];
}

const CANONICAL_32 = 0x7fc0_0000;
const CANONICAL_64 = 0x7ff8_0000_0000_0000n;
/** Bit patterns of which operations make, or let through, a NaN: signs, payloads, quiet and signalling ones, infinities. */
const BITS_64 = [
  0n,
  1n << 63n,
  0x3ff0_0000_0000_0000n,
  0xbff8_0000_0000_0000n,
  0x7ff0_0000_0000_0000n,
  0xfff0_0000_0000_0000n,
  0x7ff8_0000_0000_0001n,
  0xfff8_dead_beef_0001n,
  0x7ff0_0000_0000_0001n,
  0xfff4_0000_0000_1234n,
  1n,
  0x7fef_ffff_ffff_ffffn,
  0x4059_0000_0000_0000n,
];

const UNARY = ["ceil", "floor", "trunc", "nearest", "sqrt"];
const BINARY = ["add", "sub", "mul", "div", "min", "max"];

/** An expression over loads of 64-bit floats, or of 32-bit ones, that ends in an operation. */
const leaf = (type: 32 | 64): fc.Arbitrary<string> =>
  fc.nat(15).map((slot) => `(f${type}.load (i32.const ${slot * 8}))`);
const { wide } = fc.letrec<{ wide: string; narrow: string; inWide: string; inNarrow: string }>(
  (tie) => ({
    inWide: fc.oneof({ maxDepth: 4 }, leaf(64), tie("wide")),
    inNarrow: fc.oneof({ maxDepth: 4 }, leaf(32), tie("narrow")),
    wide: fc.oneof(
      fc.tuple(fc.constantFrom(...UNARY), tie("inWide")).map(([op, a]) => `(f64.${op} ${a})`),
      fc
        .tuple(fc.constantFrom(...BINARY), tie("inWide"), tie("inWide"))
        .map(([op, a, b]) => `(f64.${op} ${a} ${b})`),
      tie("inNarrow").map((a) => `(f64.promote_f32 ${a})`),
    ),
    narrow: fc.oneof(
      fc.tuple(fc.constantFrom(...UNARY), tie("inNarrow")).map(([op, a]) => `(f32.${op} ${a})`),
      fc
        .tuple(fc.constantFrom(...BINARY), tie("inNarrow"), tie("inNarrow"))
        .map(([op, a, b]) => `(f32.${op} ${a} ${b})`),
      tie("inWide").map((a) => `(f32.demote_f64 ${a})`),
    ),
  }),
);
const lanes = fc
  .tuple(
    fc.constantFrom("f32x4", "f64x2"),
    fc.constantFrom(...UNARY, ...BINARY),
    fc.nat(7),
    fc.nat(7),
  )
  .map(([shape, op, a, b]) => {
    const second = BINARY.includes(op) ? `(v128.load (i32.const ${b * 16}))` : "";
    return `(${shape}.${op} (v128.load (i32.const ${a * 16})) ${second})`;
  });

describe("canonical NaNs", () => {
  it("take the place of every other, and nothing else changes", async () => {
    const memory = fc.array(fc.oneof(fc.constantFrom(...BITS_64), fc.bigInt(0n, 2n ** 64n - 1n)), {
      minLength: 16,
      maxLength: 16,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(wide as fc.Arbitrary<string>, { minLength: 8, maxLength: 16 }),
        memory,
        async (texts, words) => {
          const [plain, canonical] = await both(
            texts
              .map(
                (text, index) => `(func (export "f${index}") (f64.store (i32.const 512) ${text}))`,
              )
              .join("\n"),
          );
          for (const [index, text] of texts.entries()) {
            const [was = 0n, is] = [plain, canonical].map((exports) => {
              const view = new BigUint64Array(exports.memory.buffer);
              view.set(words);
              exports[`f${index}`]?.();
              return view[64];
            });
            assert.equal(is, isNan64(was) ? CANONICAL_64 : was, text);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("take the place of every other in vectors, lane by lane", async () => {
    const memory = fc.array(fc.oneof(fc.constantFrom(...BITS_64), fc.bigInt(0n, 2n ** 64n - 1n)), {
      minLength: 16,
      maxLength: 16,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(lanes, { minLength: 8, maxLength: 16 }),
        memory,
        async (texts, words) => {
          const [plain, canonical] = await both(
            texts
              .map(
                (text, index) => `(func (export "f${index}") (v128.store (i32.const 512) ${text}))`,
              )
              .join("\n"),
          );
          for (const [index, text] of texts.entries()) {
            const [was, is] = [plain, canonical].map((exports) => {
              new BigUint64Array(exports.memory.buffer).set(words);
              exports[`f${index}`]?.();
              return text.includes("f32x4")
                ? [...new Uint32Array(exports.memory.buffer, 512, 4)]
                : [...new BigUint64Array(exports.memory.buffer, 512, 2)];
            });
            const expected = (was ?? []).map((bits) => {
              if (typeof bits === "bigint") return isNan64(bits) ? CANONICAL_64 : bits;
              return isNan32(bits) ? CANONICAL_32 : bits;
            });
            assert.deepEqual(is, expected, text);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("are seen by what looks at bits, and what moves bits moves them as they are", async () => {
    const [, canonical] = await both(`
      (func (export "made") (result i32) (i32.reinterpret_f32 (f32.div (f32.const 0) (f32.const 0))))
      (func (export "negated") (result i32) (i32.reinterpret_f32 (f32.neg (f32.div (f32.const 0) (f32.const 0)))))
      (func (export "signed") (result i32)
        (i32.reinterpret_f32 (f32.copysign (f32.const 1) (f32.sub (f32.const inf) (f32.const inf)))))
      (func (export "loaded") (result i32)
        (i32.store (i32.const 0) (i32.const 0xffa12345)) (i32.reinterpret_f32 (f32.load (i32.const 0))))
      (func (export "passed") (result i32) (local f32)
        (local.set 0 (f32.const -nan:0x12345)) (i32.reinterpret_f32 (local.get 0)))
      (func (export "pmin") (result i32)
        (i32x4.extract_lane 0 (f32x4.pmin (v128.const i32x4 0xffa12345 0 0 0) (v128.const i32x4 0 0 0 0))))`);
    const bits = Object.fromEntries(
      ["made", "negated", "signed", "loaded", "passed", "pmin"].map((name) => [
        name,
        (Number(canonical[name]?.()) >>> 0).toString(16),
      ]),
    );
    assert.deepEqual(bits, {
      made: "7fc00000",
      negated: "ffc00000",
      signed: "3f800000",
      loaded: "ffa12345",
      passed: "ff812345",
      pmin: "ffa12345",
    });
  });

  it("stand behind instructions of every other kind", async () => {
    const [plain, canonical] = await both(EVERYTHING);
    for (const exports of [plain, canonical]) {
      assert.equal(exports["all"]?.(3, 0.5), 1.5);
    }
    assert.deepEqual(new Uint8Array(canonical.memory.buffer), new Uint8Array(plain.memory.buffer));
  });

  it("can be had in programs of compilers", { skip: clangMissing() ?? false }, async () => {
    for (const bytes of [compileC("files.c"), compileC("trap.c"), await assemblyScript()]) {
      const { compiled, sha256 } = await admitModule(bytes, {
        maxMemoryMib: 16,
        deterministic: true,
      });
      const plain = await admitModule(bytes, { maxMemoryMib: 16 });
      assert.ok(compiled instanceof WebAssembly.Module);
      assert.equal(sha256, plain.sha256, "the digest is that of the bytes as they were given");
    }
  });
});

describe("what gives other results elsewhere", () => {
  const withBody = (...body: number[]): Uint8Array => crafted(Uint8Array.from(body));
  const zero = [0xfd, 12, ...Array(16).fill(0)];

  it("relaxed SIMD, is refused in deterministic runs only", async () => {
    // f32x4.relaxed_madd
    const bytes = withBody(...zero, ...zero, ...zero, 0xfd, 0x85, 0x02, 0x1a, 0x0b);
    await admitModule(bytes, { maxMemoryMib: 1 });
    await assert.rejects(admitModule(bytes, { maxMemoryMib: 1, deterministic: true }), {
      code: "MODULE_FEATURE",
    });
  });

  it("instructions that nobody knows, are refused", async () => {
    for (const body of [
      [0xfb, 0x1c, 0x0b],
      [0xff, 0x0b],
      [0xfe, 0x7f, 0x0b],
      [0xfc, 0x63, 0x0b],
    ]) {
      await assert.rejects(
        admitModule(withBody(...body), { maxMemoryMib: 1, deterministic: true }),
        {
          code: /^MODULE_(?:FEATURE|MALFORMED)$/,
        },
      );
    }
  });

  it("bytes that are no code, never throw anything but our errors", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        fc.array(fc.nat(3), { maxLength: 3 }),
        (bytes, parameters) => {
          try {
            rewriteBodies(new ModuleReader(bytes), parameters, {
              edit: canonicalNan,
              concerns: () => true,
            });
          } catch (thrown) {
            assert.match((thrown as { code?: string }).code ?? String(thrown), /^MODULE_/);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});

/** A function with an instruction of every kind of immediate before a multiplication. */
const EVERYTHING = `
  (tag $oops (param i32))
  (type $unary (func (param i32) (result i32)))
  (func $same (type $unary) (local.get 0))
  (elem (i32.const 1) $same)
  (func (export "all") (param $n i32) (param $x f64) (result f64) (local $i i32) (local $v v128) (local $l i64)
    (block (loop (br_if 1 (i32.eqz (local.get $n)))))
    (block $a (block $b (block $c (br_table $a $b $c (local.get $n)))))
    (if (local.get $n) (then nop) (else unreachable))
    (drop (if (result i32) (local.get $n) (then (i32.const -1)) (else (i32.const 1000000))))
    (drop (select (i32.const 1) (i32.const 2) (local.get $n)))
    (drop (select (result funcref) (ref.null func) (ref.func $same) (local.get $n)))
    (drop (ref.is_null (ref.null extern)))
    (drop (call $same (i32.const 5)))
    (drop (call_indirect (type $unary) (i32.const 7) (i32.const 1)))
    (local.set $l (i64.const -0x7fffffffffffffff))
    (i64.store8 offset=5000 (i32.const 70) (local.get $l))
    (i64.store32 align=1 (i32.const 100) (local.get $l))
    (drop (i64.load32_s offset=3 (i32.const 100)))
    (memory.fill (i32.const 200) (i32.const 7) (i32.const 50))
    (memory.copy (i32.const 300) (i32.const 200) (i32.const 20))
    (memory.init $d (i32.const 400) (i32.const 0) (i32.const 4)) (data.drop $d)
    (table.init $e (i32.const 2) (i32.const 0) (i32.const 1)) (elem.drop $e)
    (table.copy (i32.const 3) (i32.const 2) (i32.const 1))
    (table.set (i32.const 0) (table.get (i32.const 1)))
    (drop (table.size)) (drop (table.grow (ref.null func) (i32.const 0)))
    (table.fill (i32.const 0) (ref.null func) (i32.const 1))
    (drop (memory.size)) (drop (memory.grow (i32.const 0)))
    (drop (i32.trunc_sat_f64_s (local.get $x))) (drop (i64.trunc_sat_f32_u (f32.const nan)))
    (drop (i32.extend8_s (i32.const 255))) (global.set $g (global.get $g))
    (local.set $v (v128.const i32x4 1 2 3 4))
    (local.set $v (i8x16.shuffle 0 17 2 19 4 21 6 23 8 25 10 27 12 29 14 31 (local.get $v) (local.get $v)))
    (local.set $v (i32x4.replace_lane 2 (local.get $v) (i32.const 9)))
    (drop (i16x8.extract_lane_s 7 (local.get $v)))
    (local.set $v (v128.load16_lane offset=2 3 (i32.const 100) (local.get $v)))
    (v128.store8_lane 15 (i32.const 500) (local.get $v))
    (local.set $v (v128.or (v128.load32_zero (i32.const 100)) (v128.load8x8_u (i32.const 100))))
    (local.set $v (v128.load64_splat offset=8 (i32.const 96)))
    (v128.store offset=16 (i32.const 600) (f64x2.mul (f64x2.splat (local.get $x)) (f64x2.splat (f64.const 4))))
    (drop (i32.atomic.rmw.add (i32.const 104) (i32.const 1)))
    (drop (i32.atomic.load offset=8 (i32.const 104))) (atomic.fence)
    (try (do (throw $oops (i32.const 3))) (catch $oops (local.set $i)) (catch_all (rethrow 0)))
    (try (do (call $never)) (delegate 0))
    (f64.mul (f64.convert_i32_s (local.get $i)) (local.get $x)))
  (func $never)`;

function assemblyScript(): Promise<Uint8Array> {
  return compileAssemblyScript(`
    let sum: f64 = 0;
    for (let i: f32 = 0; i < 10; i++) sum += Math.sqrt(i) / (i - 5);
    if (sum == 12345) unreachable();`);
}

function isNan64(bits: bigint): boolean {
  return (bits & 0x7fff_ffff_ffff_ffffn) > 0x7ff0_0000_0000_0000n;
}

function isNan32(bits: number): boolean {
  return (bits & 0x7fff_ffff) > 0x7f80_0000;
}
