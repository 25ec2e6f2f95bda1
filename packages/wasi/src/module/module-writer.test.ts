import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ModuleWriter } from "./module-writer.ts";

test("what was written is there in order, however it grew and whatever it held before", () => {
  const part = fc.record({
    bytes: fc.uint8Array({ maxLength: 80 }),
    start: fc.nat(40),
    end: fc.nat(80),
  });
  fc.assert(
    fc.property(fc.nat(64), fc.array(part), (expected, parts) => {
      const writer = new ModuleWriter(expected);
      writer.copy(Uint8Array.of(1, 2, 3));
      writer.clear();
      const wanted = parts.map(({ bytes, start, end }) => {
        const from = Math.min(start, bytes.length);
        const to = Math.min(Math.max(end, from), bytes.length);
        writer.copy(bytes, from, to);
        return bytes.subarray(from, to);
      });
      assert.deepEqual(Buffer.from(writer.written), Buffer.concat(wanted));
      assert.equal(writer.length, writer.written.length);
    }),
  );
});

test("numbers are LEB128", () => {
  const writer = new ModuleWriter(0);
  writer.u32(0);
  writer.u32(624_485);
  writer.u32(0xffff_ffff);
  assert.deepEqual([...writer.written], [0, 0xe5, 0x8e, 0x26, 0xff, 0xff, 0xff, 0xff, 0x0f]);
});
