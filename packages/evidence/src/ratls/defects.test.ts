// Certificates and requests with one thing wrong each, under a root of our own: refused, and by that check.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ENARX_DEFECTS,
  newEnarxRequest,
  newIntelWorld,
  newRaTlsCertificate,
  RA_TLS_DEFECTS,
} from "@holdfast/testkit";
import { type Appraisal, verifyEnarxRequest, verifyRaTls } from "../index.ts";

const world = await newIntelWorld();

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
