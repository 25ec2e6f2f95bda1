// Fills and copies that are done in parts do what the instruction does, whatever overlaps and wherever memory ends.
import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { admit } from "../testing/modules.ts";

const PAGES = 400;
const BYTES = PAGES * 65_536;
const PART = 8 * 1024 * 1024;

interface Exports {
  readonly memory: WebAssembly.Memory;
  fill(to: number, value: number, length: number): void;
  copy(to: number, from: number, length: number): void;
}

async function instance(): Promise<Exports> {
  const { compiled } = await admit(
    `(module (memory (export "memory") ${PAGES}) (func (export "_start"))
      (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
      (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2))))`,
    64,
  );
  return new WebAssembly.Instance(compiled, {}).exports as unknown as Exports;
}

const around = (...centres: number[]): fc.Arbitrary<number> =>
  fc
    .tuple(fc.constantFrom(...centres), fc.integer({ min: -3, max: 3 }))
    .map(([centre, off]) => Math.max(0, centre + off));
const place = fc.oneof(around(0, PART, 2 * PART, BYTES - PART, BYTES), fc.nat(BYTES));
const length = fc.oneof(
  around(0, PART, 2 * PART, 3 * PART, BYTES, 0xffff_fffc),
  fc.nat(BYTES),
  fc.nat(100),
);

it("a copy is a copy", async () => {
  const exports = await instance();
  const bytes = new Uint8Array(exports.memory.buffer);
  const model = new Uint8Array(BYTES);
  for (let at = 0; at < BYTES; at += 1) model[at] = (at * 2_654_435_761) >>> 24;
  bytes.set(model);
  fc.assert(
    fc.property(place, place, length, (to, from, count) => {
      if (to + count > BYTES || from + count > BYTES) {
        assert.throws(() => exports.copy(to, from, count), WebAssembly.RuntimeError);
      } else {
        exports.copy(to, from, count);
        model.copyWithin(to, from, from + count);
      }
      assert.equal(Buffer.compare(bytes, model), 0, "nothing else was changed");
    }),
    { numRuns: 60 },
  );
});

it("a fill is a fill", async () => {
  const exports = await instance();
  const bytes = new Uint8Array(exports.memory.buffer);
  const model = new Uint8Array(BYTES);
  fc.assert(
    fc.property(place, fc.nat(1000), length, (to, value, count) => {
      if (to + count > BYTES) {
        assert.throws(() => exports.fill(to, value, count), WebAssembly.RuntimeError);
      } else {
        exports.fill(to, value, count);
        model.fill(value, to, to + count);
      }
      assert.equal(Buffer.compare(bytes, model), 0, "nothing else was changed");
    }),
    { numRuns: 60 },
  );
});
