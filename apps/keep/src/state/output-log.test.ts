import assert from "node:assert/strict";
import { test } from "node:test";
import { concat, fromText, toText } from "@holdfast/core";
import fc from "fast-check";
import { OutputLog } from "./output-log.ts";

test("reading gives what was written, from any point", () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 70_000, size: "max" }), { maxLength: 8 });
  fc.assert(
    fc.property(parts, fc.nat(), (written, seed) => {
      const log = new OutputLog();
      for (const part of written) log.append(part);
      const whole = concat(...written);
      const from = whole.length === 0 ? 0 : seed % whole.length;
      assert.equal(log.size, whole.length);
      assert.equal(Buffer.compare(concat(...log.read()), whole), 0);
      assert.equal(Buffer.compare(concat(...log.read(from)), whole.subarray(from)), 0);
    }),
    { numRuns: 50 },
  );
});

test("following gives what comes, and ends with the run", async () => {
  const log = new OutputLog();
  log.append(fromText("one "));
  const followed = collect(log.follow({ from: 0, quietMs: 10_000, signal: never() }));
  log.append(fromText("two "));
  setTimeout(() => {
    log.append(fromText("three"));
    log.end();
  }, 5);
  assert.equal(await followed, "one two three");
});

test("following ends when nothing comes, and when nobody listens any more", async () => {
  const log = new OutputLog();
  log.append(fromText("quiet"));
  assert.equal(await collect(log.follow({ from: 0, quietMs: 5, signal: never() })), "quiet");
  const gone = new AbortController();
  const followed = collect(log.follow({ from: 5, quietMs: 10_000, signal: gone.signal }));
  gone.abort();
  assert.equal(await followed, "");
});

test("output that was let go is gone", () => {
  const log = new OutputLog();
  log.append(fromText("old"));
  log.drop();
  assert.equal(log.dropped, true);
  assert.deepEqual([...log.read()], []);
});

function never(): AbortSignal {
  return new AbortController().signal;
}

async function collect(parts: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return toText(concat(...all));
}
