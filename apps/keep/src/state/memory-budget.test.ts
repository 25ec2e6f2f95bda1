// What runs are counted with, and what there is for them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Policy } from "@holdfast/policy";
import { KeepError } from "../errors.ts";
import { MemoryBudget } from "./memory-budget.ts";

const MIB = 1024 * 1024;

function policy(maxMemoryMib: number, limits: Policy["terms"]["limits"] = {}): Policy {
  return { maxMemoryMib, terms: { limits } } as Policy;
}

/** A program of so many MiB at the most. */
function program(mib: number) {
  return { memory: { initialPages: 1, maximumPages: mib * 16, imported: false } };
}

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof KeepError) return thrown.code;
    throw thrown;
  }
  return assert.fail("nothing was refused");
}

describe("the memory of runs", () => {
  it("is what the policy leaves beside the files", () => {
    const limits = { memoryMib: 1000, storageMib: 100, outputBytes: MIB };
    assert.equal(new MemoryBudget(policy(64, limits), 0).maximumBytes, 900 * MIB);
  });

  it("counts linear memory at its maximum, files held and written, and output", () => {
    const limits = { memoryMib: 1000, storageMib: 100, outputBytes: MIB };
    const budget = new MemoryBudget(policy(64, limits));
    const giveBack = budget.take(program(64), 10 * MIB);
    assert.equal(budget.takenBytes, (64 + 10 + 100 + 1) * MIB);
    giveBack();
    giveBack();
    assert.equal(budget.takenBytes, 0);
  });

  it("is given to as many runs as fit, and again when one has ended", () => {
    const limits = { memoryMib: 450, storageMib: 100, outputBytes: MIB };
    const budget = new MemoryBudget(policy(64, limits));
    const [first] = [budget.take(program(64), 0), budget.take(program(64), 0)];
    assert.equal(
      refusal(() => budget.take(program(64), 0)),
      "RUN_MEMORY",
    );
    // What was refused took nothing.
    assert.equal(budget.takenBytes, 2 * 165 * MIB);
    first();
    budget.take(program(64), 0);
  });

  it("is never enough for what is larger than all of it", () => {
    const limits = { memoryMib: 200, storageMib: 100, outputBytes: MIB };
    const budget = new MemoryBudget(policy(64, limits));
    assert.equal(
      refusal(() => budget.take(program(1), 0)),
      "RUN_TOO_LARGE",
    );
    const less = new MemoryBudget(policy(64, { ...limits, memoryMib: 99 }));
    assert.equal(
      refusal(() => less.take(program(1), 0)),
      "RUN_TOO_LARGE",
    );
  });

  it("is the machine's where the policy says nothing: eight runs, or fewer, or one", () => {
    const run = (64 + 64 + 64 + 16) * MIB;
    const bound = (machineMib: number) =>
      new MemoryBudget(policy(64), machineMib * MIB).maximumBytes;
    assert.equal(bound(1_000_000), 8 * run);
    assert.equal(bound(1000), (750 - 64) * MIB);
    assert.equal(bound(0), run);
    const here = new MemoryBudget(policy(1)).maximumBytes;
    assert.ok(Number.isSafeInteger(here) && here >= 19 * MIB, `${here}`);
  });
});
