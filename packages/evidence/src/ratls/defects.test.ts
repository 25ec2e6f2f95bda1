// Certificates and requests with one thing wrong each, under a root of our own: refused, and by that check.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ENARX_DEFECTS,
  ENARX_SNP_DEFECTS,
  newEnarxRequest,
  newEnarxSnpRequest,
  newIntelWorld,
  newRaTlsCertificate,
  newSnpWorld,
  RA_TLS_DEFECTS,
} from "@holdfast/testkit";
import { type Appraisal, verifyEnarxRequest, verifyEvidence, verifyRaTls } from "../index.ts";

const world = await newIntelWorld();
const snp = await newSnpWorld();

function failures({ checks }: Appraisal): string[] {
  return checks.filter(({ outcome }) => outcome === "failed").map(({ name }) => name);
}

test("a certificate that is in order is affirmed", async () => {
  for (const hash of [
    [1, "sha256"],
    [7, "sha384"],
    [8, "sha512"],
  ] as const) {
    const { evidence, request } = await newRaTlsCertificate(world, { hash });
    const appraisal = await verifyRaTls(evidence, request);
    assert.deepEqual(failures(appraisal), []);
    assert.equal(appraisal.verdict, "affirmed");
    assert.equal(appraisal.platform, "simulated-sgx");
  }
});

for (const { name, fails, changes, request: change } of RA_TLS_DEFECTS) {
  test(`RA-TLS refused: ${name}`, async () => {
    const { evidence, request } = await newRaTlsCertificate(world, changes);
    const appraisal = await verifyRaTls(evidence, { ...request, ...change });
    assert.deepEqual(failures(appraisal), fails);
    assert.equal(appraisal.verdict, "refused");
  });
}

test("a request that is in order is affirmed", async () => {
  const { evidence, request } = await newEnarxRequest(world);
  assert.equal((await verifyEnarxRequest(evidence, request)).verdict, "affirmed");
});

for (const { name, fails, changes, request: change } of ENARX_DEFECTS) {
  test(`Enarx refused: ${name}`, async () => {
    const { evidence, request } = await newEnarxRequest(world, changes);
    const appraisal = await verifyEnarxRequest(evidence, { ...request, ...change });
    assert.deepEqual(failures(appraisal), fails);
    assert.equal(appraisal.verdict, "refused");
    if (fails[0] !== "enarx-csr.nonce") assert.equal(appraisal.claims, undefined);
  });
}

test("a request with a report that is in order is affirmed, with what it brings along", async () => {
  const { evidence, request } = await newEnarxSnpRequest(snp);
  const appraisal = await verifyEvidence(evidence, request);
  assert.deepEqual(failures(appraisal), []);
  assert.equal(appraisal.verdict, "affirmed");
  assert.equal(appraisal.type, "enarx-csr");
  assert.equal(appraisal.platform, "simulated-sev-snp");
  const claims = appraisal.claims as Record<string, unknown> | undefined;
  assert.equal(claims?.["oid"], "1.3.6.1.4.1.58270.1.3");
  assert.equal(claims?.["measurement"], "09".repeat(48));
  const without = await newEnarxSnpRequest(snp, { withoutList: true });
  assert.equal((await verifyEvidence(without.evidence, without.request)).verdict, "not-judged");
});

for (const { name, fails, changes, request: change } of ENARX_SNP_DEFECTS) {
  test(`Enarx with a report refused: ${name}`, async () => {
    const { evidence, request } = await newEnarxSnpRequest(snp, changes);
    const appraisal = await verifyEnarxRequest(evidence, { ...request, ...change });
    assert.deepEqual(failures(appraisal), fails);
    assert.equal(appraisal.verdict, "refused");
    if (fails[0]?.startsWith("enarx-csr.") && fails[0] !== "enarx-csr.nonce") {
      assert.equal(appraisal.claims, undefined);
    }
  });
}

test("a request with a report, changed anywhere, is never affirmed", async () => {
  const { evidence, request } = await newEnarxSnpRequest(snp);
  for (let at = 0; at < evidence.length; at += 37) {
    const changed = evidence.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x01;
    const appraisal = await verifyEnarxRequest(changed, request);
    assert.notEqual(appraisal.verdict, "affirmed", `byte ${at}`);
  }
});
