// Certificates and requests of real enclaves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { webCrypto } from "@holdfast/core";
import { mergeEndorsements, verifyEvidence } from "../index.ts";
import {
  vectorBytes,
  vectorEndorsements,
  vectorEntries,
  WITH_VECTORS,
} from "../testing/vectors.ts";

const failures = (checks: readonly { name: string; outcome: string }[]) =>
  checks.filter(({ outcome }) => outcome === "failed").map(({ name }) => name);

test("ratls-rats-rs: bound, within its minute; a debug enclave", WITH_VECTORS, async () => {
  const [entry] = vectorEntries("ratls-rats-rs");
  const certificate = vectorBytes("ra-tls/rats-rs-sgx.pem");
  const request = {
    at: new Date("2024-04-15T16:53:30Z"),
    crypto: webCrypto,
    endorsements: vectorEndorsements(),
  };
  const appraisal = await verifyEvidence(certificate, request);
  assert.deepEqual(failures(appraisal.checks), ["quote.debug"]);
  assert.equal(appraisal.debug, true);
  for (const [name, value] of Object.entries(entry?.claims ?? {})) {
    assert.deepEqual(
      (appraisal.claims as Record<string, unknown> | undefined)?.[name],
      value,
      name,
    );
  }
  const later = await verifyEvidence(certificate, {
    ...request,
    at: new Date("2024-04-15T16:54:02Z"),
    allowDebug: true,
  });
  assert.deepEqual(failures(later.checks), ["ra-tls.validity"]);
});

test("csr-enarx-sgx-xeon: key bound, collateral inside", WITH_VECTORS, async () => {
  const csr = vectorBytes("ra-tls/enarx-sgx-xeon.csr.der");
  const request = {
    at: new Date("2023-02-01T00:00:00Z"),
    crypto: webCrypto,
    endorsements: vectorEndorsements(),
  };
  const appraisal = await verifyEvidence(csr, request);
  const outcome = (name: string) => appraisal.checks.find((each) => each.name === name)?.outcome;
  for (const name of ["enarx-csr.signature", "enarx-csr.key", "quote.signature", "qe.binding"]) {
    assert.equal(outcome(name), "passed", name);
  }
  assert.equal(outcome("tcb-info.signature"), "passed");
  assert.equal(
    (appraisal.claims as Record<string, unknown> | undefined)?.["mrEnclave"],
    "4046ea255f0455131a024e1265ac1ebd131fdbd1240f1712a00381f6f04e8c15",
  );
  const later = await verifyEvidence(csr, {
    ...request,
    at: new Date("2025-08-15T06:41:26Z"),
    endorsements: mergeEndorsements(vectorEndorsements("collateral/automata-00606a-2025-08.json")),
  });
  assert.equal(later.tcbStatus, "OutOfDate");
  assert.deepEqual(failures(later.checks), ["tcb.status"]);
});
