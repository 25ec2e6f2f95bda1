// Pauses grow with each failure, end with a success, and never fill memory.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pauses } from "./pauses.ts";

function newPauses() {
  let now = 0;
  const pauses = new Pauses({ now: () => new Date(now) });
  /** Seconds until a name may be asked for. */
  const length = (name: string): number => {
    const start = now;
    while (pauses.has(name)) now += 1000;
    return (now - start) / 1000;
  };
  return { pauses, length };
}

test("each failure pauses for twice as long, an hour at most", () => {
  const { pauses, length } = newPauses();
  const lengths = Array.from({ length: 9 }, () => {
    pauses.add("a");
    return length("a");
  });
  assert.deepEqual(lengths, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
  pauses.clear("a");
  pauses.add("a");
  assert.equal(length("a"), 30);
  assert.equal(pauses.has("b"), false);
});

test("what a source asks for is kept when it is longer", () => {
  const { pauses, length } = newPauses();
  pauses.add("a", 600_000);
  assert.equal(length("a"), 600);
});

test("invented names push out the oldest", () => {
  const { pauses } = newPauses();
  for (let index = 0; index <= 2048; index += 1) pauses.add(`name ${index}`);
  assert.equal(pauses.has("name 0"), false);
  assert.equal(pauses.has("name 1"), true);
});
