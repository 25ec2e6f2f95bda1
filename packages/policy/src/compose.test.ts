// How the parts join: order of members and text are the seed's.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import {
  composeFullPolicy,
  composeVaasPolicy,
  instanceHash,
  parseFunctionPolicy,
  parsePolicy,
  parseUserPolicy,
  parseVaasPolicy,
  type VaasPolicy,
} from "./index.ts";
import {
  fullPolicy,
  functionPolicy,
  HASHES,
  PEM,
  userPolicy,
  vaasPolicy,
} from "./testing/seed-policies.ts";

const INFRASTRUCTURE = {
  serverUrl: "192.0.2.7:3014",
  attestationUrl: "veracruz-nitro-proxy:3010",
  attestationCertificatePem: PEM.authority,
  nitroMeasurement: HASHES.nitro,
  now: new Date("2023-04-11T16:46:59Z"),
};

function joined(change: { loaderCertificatePem?: string } = {}): VaasPolicy {
  return composeVaasPolicy({
    functionPolicy: parseFunctionPolicy(functionPolicy()),
    userPolicy: parseUserPolicy(userPolicy()),
    instanceId: "instance1",
    ...change,
  });
}

test("function and user policy join into the seed's VaaS policy", () => {
  const { enclave_cert_expiry: _, ...expected } = vaasPolicy();
  const vaas = joined({ loaderCertificatePem: PEM.loader });
  assert.equal(JSON.stringify(vaas, undefined, 4), JSON.stringify(expected, undefined, 4));
  assert.deepEqual(parseVaasPolicy(vaas), vaas);
});

test("nothing to load means no loader", () => {
  assert.deepEqual(
    joined().identities.map(({ id, certificate }) => [id, certificate]),
    [
      [0, PEM.bridge],
      [1, PEM.user],
    ],
  );
});

test("VaaS adds the infrastructure in the seed's order and spacing", () => {
  const text = composeFullPolicy(parseVaasPolicy(vaasPolicy()), INFRASTRUCTURE);
  assert.equal(text, JSON.stringify(fullPolicy(), undefined, 4));
  assert.ok(
    text.startsWith('{\n    "ciphersuite": "TLS1_3_CHACHA20_POLY1305_SHA256",\n    "debug"'),
  );
  assert.equal(parsePolicy(text).dialect, "i-poc");
});

test("without an expiry a policy holds for 180 days, to the minute", () => {
  const vaas = joined({ loaderCertificatePem: PEM.loader });
  const policy = parsePolicy(composeFullPolicy(vaas, INFRASTRUCTURE));
  assert.equal(policy.certificateExpiry.toISOString(), "2023-10-08T16:46:00.000Z");
});

test("a VaaS policy without hashes gives a full policy with none", () => {
  const { file_hashes: _, ...rest } = vaasPolicy();
  const text = composeFullPolicy(parseVaasPolicy(rest), INFRASTRUCTURE);
  assert.deepEqual(JSON.parse(text).file_hashes, []);
});

test("terms of a function go through to the keep", () => {
  const holdfast = { limits: { runs: 1 }, shutdown: [1] };
  const vaas = composeVaasPolicy({
    functionPolicy: parseFunctionPolicy({ ...functionPolicy(), holdfast }),
    userPolicy: parseUserPolicy(userPolicy()),
    instanceId: "one",
  });
  const policy = parsePolicy(composeFullPolicy(parseVaasPolicy(vaas), INFRASTRUCTURE));
  assert.deepEqual(policy.terms.limits, { runs: 1 });
  assert.deepEqual(policy.terms.shutdown, [1]);
});

test("an instance is named by the first 59 digits of the policy hash", async () => {
  const sha256 = createHash("sha256").update("text").digest("hex");
  assert.equal(await instanceHash("text"), sha256.slice(0, 59));
});
