import assert from "node:assert/strict";
import { test } from "node:test";
import { KeepError } from "../errors.ts";
import { parseRange } from "./range.ts";

test("ranges that are served", () => {
  assert.deepEqual(parseRange("bytes=0-0", 10), { start: 0, end: 1 });
  assert.deepEqual(parseRange("bytes=3-", 10), { start: 3, end: 10 });
  assert.deepEqual(parseRange("bytes=-3", 10), { start: 7, end: 10 });
  assert.deepEqual(parseRange("bytes=-30", 10), { start: 0, end: 10 });
  assert.deepEqual(parseRange("bytes=9-999", 10), { start: 9, end: 10 });
});

test("what is answered with the whole", () => {
  const whole = [undefined, "", "bytes=", "bytes=-", "bytes=5-3", "bytes=0-1,3-4", "items=0-1"];
  for (const header of [...whole, "bytes=a-b", "bytes=0-1 ", `bytes=${"9".repeat(30)}-`]) {
    assert.equal(parseRange(header, 10), undefined);
  }
});

test("what lies outside", () => {
  for (const [header, size] of [
    ["bytes=10-", 10],
    ["bytes=0-", 0],
    ["bytes=-0", 10],
    ["bytes=-1", 0],
  ] as const) {
    assert.throws(
      () => parseRange(header, size),
      (thrown) => thrown instanceof KeepError && thrown.code === "FILE_RANGE",
    );
  }
});
