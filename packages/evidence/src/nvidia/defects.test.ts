// Reports with one thing wrong each, under a root of our own: refused, and by that check.
import assert from "node:assert/strict";
import { test } from "node:test";
import { GPU_DEFECTS, newGpuEvidence } from "@holdfast/testkit";
import fc from "fast-check";
import { verifyGpu } from "../index.ts";

test("what is in order is affirmed, with every check passed", async () => {
  const { evidence, request } = await newGpuEvidence();
  const { checks, verdict, platform } = await verifyGpu(evidence, request);
  assert.deepEqual(
    checks.filter(({ outcome }) => outcome !== "passed"),
    [],
  );
  assert.equal(verdict, "affirmed");
  assert.equal(platform, "simulated-nvidia-gpu");
  const spare = await newGpuEvidence({ after: (report) => Uint8Array.of(...report, 0) });
  assert.equal((await verifyGpu(spare.evidence, spare.request)).verdict, "affirmed");
});

for (const { name, fails, changes, request: change } of GPU_DEFECTS) {
  test(`refused: ${name}`, async () => {
    const { evidence, request } = await newGpuEvidence(changes);
    const { checks, verdict } = await verifyGpu(evidence, { ...request, ...change });
    const failed = checks.filter(({ outcome }) => outcome === "failed");
    assert.deepEqual(
      failed.map((check) => check.name),
      fails,
    );
    assert.equal(verdict, "refused");
  });
}

test("without certificates or lists a report is not judged, and an unknown root refuses", async () => {
  const { evidence, request } = await newGpuEvidence();
  const without = (change: object) => ({
    ...request,
    endorsements: { ...request.endorsements, ...change },
  });
  assert.equal((await verifyGpu(evidence, without({ certificates: [] }))).verdict, "not-judged");
  assert.equal((await verifyGpu(evidence, without({ revocationLists: [] }))).verdict, "not-judged");
  assert.equal((await verifyGpu(evidence, { ...request, anchors: [] })).verdict, "refused");
});

test("mutated reports are refused", async () => {
  const { evidence, request } = await newGpuEvidence();
  await fc.assert(
    fc.asyncProperty(
      fc.nat(evidence.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, bits) => {
        const mutated = evidence.slice();
        mutated[at] = (mutated[at] ?? 0) ^ bits;
        assert.equal((await verifyGpu(mutated, request)).verdict, "refused");
      },
    ),
    { numRuns: 150 },
  );
});
