// Challenges: good once, for a time, and bounded.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Challenges } from "./challenges.ts";

function at(start: number) {
  const clock = { time: start, now: () => new Date(clock.time) };
  return clock;
}

test("a challenge is taken once", () => {
  const challenges = new Challenges(at(0), 1000);
  const { id, nonce } = challenges.issue();
  assert.deepEqual(challenges.take(id)?.nonce, nonce);
  assert.equal(challenges.take(id), undefined);
});

test("a challenge ends with its lifetime", () => {
  const clock = at(0);
  const challenges = new Challenges(clock, 1000);
  const [first, second] = [challenges.issue(), challenges.issue()];
  clock.time = 999;
  assert.notEqual(challenges.take(first.id), undefined);
  clock.time = 1000;
  assert.equal(challenges.take(second.id), undefined);
});

test("the oldest of too many makes room", () => {
  const challenges = new Challenges(at(0), 1000, 3);
  const ids = Array.from({ length: 4 }, () => challenges.issue().id);
  assert.deepEqual(
    ids.map((id) => challenges.take(id) !== undefined),
    [false, true, true, true],
  );
});

test("nonces and ids are never the same", () => {
  const challenges = new Challenges(at(0), 1000);
  const made = Array.from({ length: 100 }, () => challenges.issue());
  assert.equal(new Set(made.map(({ nonce }) => nonce.toHex())).size, 100);
  assert.equal(new Set(made.map(({ id }) => id)).size, 100);
});
