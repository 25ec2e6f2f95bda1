// No bytes make any reader of evidence throw anything but our own errors, take long, or take much memory. How long to look:
// HOLDFAST_FUZZ_SECONDS (8 by default, over all readers); what to begin with: HOLDFAST_FUZZ_SEED, printed each time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { IN_ORDER, PLANTED } from "./evidence-fuzz-planted.ts";
import { runFuzz } from "./evidence-fuzz-run.ts";

/** Of processor time: a hundred times what the largest sample takes, so that only a reader that runs away exceeds it. */
const LIMITS = { milliseconds: 3_000, mebibytes: 256 };
/** For readers with a planted fault, which are to be found soon. */
const TIGHT = { milliseconds: 250, mebibytes: 64 };
const PLANTED_SECONDS = 2;

const seed = Number(process.env["HOLDFAST_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const seconds = Number(process.env["HOLDFAST_FUZZ_SECONDS"] ?? 8);

test("mutated samples are read or refused", async (t) => {
  t.diagnostic(`seed ${seed}, ${seconds} s; again: HOLDFAST_FUZZ_SEED=${seed}`);
  const { results, alarms } = await runFuzz({ seed, seconds }, LIMITS);
  const runs = results.reduce((sum, each) => sum + each.runs, 0);
  t.diagnostic(`${runs} inputs for ${results.length} readers`);
  assert.deepEqual(alarms, [], `seed ${seed}`);
  assert.ok(results.length > 30);
  for (const { reader, readable, runs: each } of results)
    t.diagnostic(`${reader}: ${each} (${readable})`);
});

const RINGS: Readonly<Record<string, RegExp>> = {
  "throws another error": /undefined is not a function/,
  "takes long": /ms for one input/,
  "never ends": /does not end/,
  "takes much memory": /memory/,
};

for (const planted of Object.keys(PLANTED)) {
  test(`a reader that ${planted} rings the alarm`, async () => {
    const { alarms } = await runFuzz({ seed, seconds: PLANTED_SECONDS, planted }, TIGHT);
    assert.equal(alarms.length, 1, alarms.join("; "));
    assert.match(alarms[0] ?? "", RINGS[planted] ?? /^$/);
  });
}

test("a reader that is in order rings none", async () => {
  const [planted = ""] = Object.keys(IN_ORDER);
  const { results, alarms } = await runFuzz({ seed, seconds: 0.5, planted }, TIGHT);
  assert.deepEqual(alarms, []);
  assert.ok((results[0]?.runs ?? 0) > 100);
});
