// Refusals beyond the bound are counted, not written; the count is told once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { RefusalBudget } from "./refusal-budget.ts";

test("over the bound refusals are counted until the next window", () => {
  const clock = { time: 0, now: () => new Date(clock.time) };
  const budget = new RefusalBudget(clock, 2, 1000);
  assert.deepEqual(
    [budget.take(), budget.take(), budget.take(), budget.take()],
    [0, 0, undefined, undefined],
  );
  clock.time = 999;
  assert.equal(budget.take(), undefined);
  clock.time = 1000;
  assert.deepEqual([budget.take(), budget.take(), budget.take()], [3, 0, undefined]);
});
