// Evidence of a virtual machine under keys of our own, each with one thing wrong.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AzureChanges,
  HCL_CLAIMS,
  newAzureEvidence,
  newKeys,
  newSnpWorld,
} from "@holdfast/testkit";
import { type AzureRequest, verifyAzure } from "../index.ts";

const world = await newSnpWorld();
const flip = (at: number) => (report: Uint8Array) => {
  const changed = report.slice();
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
};

/** The machine's id in the claims, changed in its last digit. */
const renamed = (report: Uint8Array) =>
  flip(Buffer.from(report).indexOf("1B2C", HCL_CLAIMS) + 3)(report);

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

const DEFECTS: readonly (readonly [
  string,
  readonly string[],
  AzureChanges,
  Partial<AzureRequest>?,
])[] = [
  ["another magic", ["azure.format"], { hcl: flip(0) }],
  ["another version", ["azure.format"], { hcl: flip(5) }],
  ["another report type", ["azure.format"], { hcl: flip(1224) }],
  ["another hash", ["azure.format"], { hcl: flip(1228) }],
  ["claims that are longer than the report", ["azure.format"], { hcl: flip(1234) }],
  [
    "something after the claims",
    ["azure.format"],
    { hcl: (report) => Uint8Array.of(...report, 1) },
  ],
  [
    "two attestation keys",
    ["azure.format"],
    { claims: ({ keys }) => void keys.push({ ...keys[0] }) },
  ],
  ["no attestation key", ["azure.format"], { claims: ({ keys }) => void keys.pop() }],
  ["claims changed after they were hashed", ["azure.binding"], { hcl: renamed }],
  [
    "report data that carries more than the hash",
    ["azure.binding"],
    { snp: { fields: { reportData: new Uint8Array(64).fill(7) } } },
  ],
  ["hardware in debug mode", ["snp.debug"], { snp: { fields: { policy: 0xb0000n } } }],
  [
    "hardware report of another key",
    ["snp.signature"],
    { snp: { signer: newKeys("p384").privateKey } },
  ],
  ["quote of another key", ["tpm.signature"], { tpm: { signer: newKeys("rsa2048").privateKey } }],
  ["quote of an old nonce", ["tpm.nonce"], { tpm: { nonce: new Uint8Array(32) } }],
  [
    "PCR values that were not quoted",
    ["tpm.pcr-digest"],
    { tpm: { values: (values) => void values.set(7, new Uint8Array(32)) } },
  ],
  [
    "other user data",
    ["azure.user-data"],
    { claims: (claims) => void Object.assign(claims, { "user-data": "00" }) },
  ],
  [
    "another measurement",
    ["expect.measurement"],
    {},
    { expect: new Map([["measurement", ["00".repeat(48)]]]) },
  ],
];

for (const [name, fails, changes, change] of DEFECTS) {
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
