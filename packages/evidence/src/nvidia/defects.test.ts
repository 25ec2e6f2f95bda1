// Reports with one thing wrong each, under a root of our own: refused, and by that check.
import assert from "node:assert/strict";
import { test } from "node:test";
import { toBase64, toPem, webCrypto } from "@holdfast/core";
import { GPU_DEFECTS, newGpuEvidence } from "@holdfast/testkit";
import fc from "fast-check";
import { describeEvidence, verifyEvidence, verifyGpu } from "../index.ts";

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

test("a report brings its certificates along in JSON, one device at a time", async () => {
  const { evidence, request } = await newGpuEvidence();
  const { certificates } = request.endorsements;
  const pem = certificates.map(({ der }) => toPem("CERTIFICATE", der)).join("");
  const device = { arch: "HOPPER", evidence: toBase64(evidence), certificate: toBase64(text(pem)) };
  const bare = { ...request, endorsements: { ...request.endorsements, certificates: [] } };
  for (const form of [device, [device], { device_evidence_list: [device] }]) {
    const bytes = text(JSON.stringify(form));
    const { verdict, type, checks } = await verifyEvidence(bytes, bare);
    assert.equal(type, "nvidia-gpu");
    assert.equal(verdict, "affirmed", JSON.stringify(checks));
    const said = await describeEvidence(bytes, { crypto: webCrypto });
    assert.equal(said.certificates.length, certificates.length);
  }
  for (const [fault, form] of [
    [/2 devices: judge each/, [device, device]],
    [/text expected/, { ...device, certificate: 1 }],
    [/no CERTIFICATE block/, { ...device, certificate: toBase64(text("none")) }],
  ] as const) {
    const { verdict, checks } = await verifyEvidence(text(JSON.stringify(form)), bare);
    assert.equal(verdict, "refused");
    assert.match(checks[0]?.detail ?? "", fault);
  }
});

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
