import assert from "node:assert/strict";
import { test } from "node:test";
import { fromText } from "@holdfast/core";
import fc from "fast-check";
import { readLines } from "./read-lines.ts";

async function linesOf(parts: readonly string[], most = 100): Promise<string[]> {
  return await Array.fromAsync(readLines(streamOf(parts), most));
}

async function* streamOf(parts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield fromText(part);
}

test("lines come out as they went in, however they were cut", async () => {
  const line = fc.string({ maxLength: 10 }).filter((text) => !text.includes("\n") && text !== "");
  const cuts = fc.array(fc.nat(60), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 5 }), cuts, async (lines, at) => {
      const whole = Buffer.from(lines.map((each) => `${each}\n`).join(""));
      const places = [...new Set([0, ...at, whole.length])].sort((a, b) => a - b);
      const parts = places.map((start, index) => whole.subarray(start, places[index + 1]));
      assert.deepEqual(await Array.fromAsync(readLines(fromParts(parts), 1000)), lines);
    }),
    { numRuns: 200 },
  );
});

async function* fromParts(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

test("the last line may lack its line feed, and an empty one counts", async () => {
  assert.deepEqual(await linesOf(["a\n\nb"]), ["a", "", "b"]);
  assert.deepEqual(await linesOf([]), []);
});

test("a line over the bound is refused before it has ended", async () => {
  assert.deepEqual(await linesOf(["aaaa\n", "bbbb\n"], 4), ["aaaa", "bbbb"]);
  await assert.rejects(linesOf(["aaa", "aa"], 4), RangeError);
  await assert.rejects(linesOf(["aaaaa\n"], 4), RangeError);
});
