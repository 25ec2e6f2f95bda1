// No bytes make any reader of evidence throw anything but our own errors, take long, or take much memory. How long to look:
// HOLDFAST_FUZZ_SECONDS (8 by default, over all readers); what to begin with: HOLDFAST_FUZZ_SEED, printed each time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import type { FuzzResult, FuzzTask } from "./evidence-fuzz-worker.ts";

/** Of processor time: a hundred times what the largest sample takes, so that only a reader that runs away exceeds it. */
const MOST_MILLISECONDS = 3_000;
/** Of the heap: exceeding it ends the thread, and fails the test. */
const MOST_MEBIBYTES = 256;

const seed = Number(process.env["HOLDFAST_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const seconds = Number(process.env["HOLDFAST_FUZZ_SECONDS"] ?? 8);

test("mutated samples are read or refused", async (t) => {
  t.diagnostic(`seed ${seed}, ${seconds} s; again: HOLDFAST_FUZZ_SEED=${seed}`);
  const task: FuzzTask = { seed, seconds };
  const worker = new Worker(new URL("evidence-fuzz-worker.ts", import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: MOST_MEBIBYTES },
  });
  const results: FuzzResult[] = [];
  worker.on("message", (result: FuzzResult) => results.push(result));
  await new Promise<void>((ended, failed) => {
    worker.once("error", failed);
    worker.once("exit", () => ended());
  });
  const runs = results.reduce((sum, each) => sum + each.runs, 0);
  t.diagnostic(`${runs} inputs for ${results.length} readers`);
  assert.ok(results.length > 30);
  for (const { reader, failure, slowest } of results) {
    assert.equal(failure, undefined, `${reader}, seed ${seed}`);
    assert.ok(slowest < MOST_MILLISECONDS, `${reader}: ${slowest} ms for one input, seed ${seed}`);
  }
  for (const { reader, readable, runs: each } of results)
    t.diagnostic(`${reader}: ${each} (${readable})`);
});
