// Evidence of a virtual machine under keys of our own, each with one thing wrong.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AZURE_DEFECTS, newAzureEvidence, newSnpWorld } from "@holdfast/testkit";
import { verifyAzure } from "../index.ts";

const world = await newSnpWorld();
test("what is in order is affirmed, with every check passed", async () => {
  const { evidence, request } = await newAzureEvidence(world);
  const appraisal = await verifyAzure(evidence, request);
  assert.deepEqual(
    appraisal.checks.filter(({ outcome }) => outcome !== "passed"),
    [],
  );
  assert.equal(appraisal.verdict, "affirmed");
  assert.equal(appraisal.platform, "azure-simulated-sev-snp");
  assert.equal(appraisal.claims?.secureBoot, true);
});

for (const { name, fails, changes, request: change } of AZURE_DEFECTS) {
  test(`refused: ${name}`, async () => {
    const { evidence, request } = await newAzureEvidence(world, changes);
    const { checks, verdict } = await verifyAzure(evidence, { ...request, ...change });
    const failed = checks.filter(({ outcome }) => outcome === "failed");
    assert.deepEqual(
      failed.map((check) => check.name),
      fails,
      failed.map(({ detail }) => detail).join("; "),
    );
    assert.equal(verdict, "refused");
  });
}

test("without its leaf certificate a machine is not judged", async () => {
  const { evidence, request } = await newAzureEvidence(world);
  const endorsements = { ...request.endorsements, certificates: [] };
  assert.equal((await verifyAzure(evidence, { ...request, endorsements })).verdict, "not-judged");
});
