// Reports with one thing wrong each, under a root of our own: refused, and by that check.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type GpuChanges,
  newGpuEvidence,
  newKeys,
  newList,
  PARTY_FROM,
  serialOf,
} from "@holdfast/testkit";
import fc from "fast-check";
import { type JudgeRequest, verifyGpu } from "../index.ts";

const past = new Date("2026-05-31T00:00:00Z");
const flip = (at: number) => (report: Uint8Array) => {
  const changed = report.slice();
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
};

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

const DEFECTS: readonly (readonly [
  string,
  readonly string[],
  GpuChanges,
  Partial<JudgeRequest>?,
])[] = [
  ["another message", ["gpu.format"], { before: flip(1) }],
  ["another answer", ["gpu.format"], { before: flip(38) }],
  ["cut short", ["gpu.format"], { after: (report) => report.subarray(0, -1) }],
  [
    "something after the signature",
    ["gpu.format"],
    { after: (report) => Uint8Array.of(...report, 1) },
  ],
  ["a record that is longer than said", ["gpu.format"], { before: flip(42) }],
  [
    "one measurement twice",
    ["gpu.format"],
    {
      blocks: [
        [1, new Uint8Array(48)],
        [1, new Uint8Array(48)],
      ],
    },
  ],
  ["expired device", ["path.validity"], { leafChange: { notAfter: past } }],
  [
    "revoked model",
    ["gpu.revocation"],
    {
      lists: async ([, model, root]) => {
        assert.ok(model && root);
        const revoked = [{ serial: serialOf(model), at: PARTY_FROM }];
        return [await newList(root, { revoked }), await newList(model)];
      },
    },
  ],
  ["signed by another key", ["gpu.signature"], { signer: newKeys("p384").privateKey }],
  ["nonce changed after signing", ["gpu.signature", "gpu.nonce"], { after: flip(5) }],
  ["other firmware than certified", ["gpu.fwid"], { certified: new Uint8Array(48) }],
  ["another nonce", ["gpu.nonce"], {}, { nonce: new Uint8Array(32) }],
  ["report data", ["gpu.report-data"], {}, { reportData: new Uint8Array(64) }],
  [
    "another measurement",
    ["expect.measurements.1"],
    {},
    { expect: new Map([["measurements.1", ["00"]]]) },
  ],
];

for (const [name, fails, changes, change] of DEFECTS) {
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
