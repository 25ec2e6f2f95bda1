// Genuine and synthetic Nitro documents from elsewhere, judged at the times they were valid.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, fromPem, parseCertificate, toHex, toText, webCrypto } from "@holdfast/core";
import { readSample, readSampleJson, sampleFolder } from "@holdfast/testkit";
import { AWS_NITRO_ROOT_SHA256, awsNitroRoot, type NitroRequest, verifyNitro } from "../index.ts";

interface Sample {
  readonly id: string;
  readonly type: string;
  readonly files: readonly [string];
  readonly debug: boolean;
  readonly checkTime: string;
  readonly windowFrom: string;
  readonly windowTo: string;
  readonly claims: { readonly nonce: string | null; readonly userData: string | null };
}

interface Suite {
  readonly checkTime: string;
  readonly root: string;
  readonly cases: Readonly<Record<string, { expected: string; nonce: string; pcr0: string }>>;
}

const { folder, why } = sampleFolder("evidence");
const samples =
  folder === undefined
    ? []
    : readSampleJson<{ entries: Sample[] }>(folder, "index.json").entries.filter(
        ({ type }) => type === "AWS Nitro attestation document",
      );

const bare: Omit<NitroRequest, "at"> = {
  anchors: [awsNitroRoot()],
  crypto: webCrypto,
  nonce: "waived",
  userData: "waived",
  pcrs: "waived",
};

test("the pinned root has the fingerprint that AWS publishes", async () => {
  assert.equal(toHex(await webCrypto.digest("SHA-256", awsNitroRoot().der)), AWS_NITRO_ROOT_SHA256);
});

test("genuine documents: claims, debug mode and verdict are as known", { skip: why }, async (t) => {
  assert.ok(folder !== undefined && samples.length >= 5);
  for (const sample of samples) {
    await t.test(sample.id, async () => {
      const { nonce, userData } = sample.claims;
      const appraisal = await verifyNitro(readSample(folder, sample.files[0]), {
        ...bare,
        at: new Date(sample.checkTime),
        nonce: nonce === null ? "waived" : fromHex(nonce),
        userData: userData === null ? "waived" : fromHex(userData),
      });
      assert.deepEqual(appraisal.claims, sample.claims);
      assert.equal(appraisal.debug, sample.debug);
      assert.equal(appraisal.platform, "aws-nitro");
      assert.equal(appraisal.simulated, false);
      assert.deepEqual(
        appraisal.checks.filter(({ outcome }) => outcome === "failed").map(({ name }) => name),
        sample.debug ? ["nitro.debug"] : [],
      );
      assert.equal(appraisal.verdict, sample.debug ? "refused" : "affirmed");
      assert.equal(appraisal.validFrom?.toISOString(), sample.windowFrom);
      assert.equal(appraisal.validUntil?.toISOString(), sample.windowTo);
    });
  }
});

test("genuine documents are refused outside their time", { skip: why }, async () => {
  assert.ok(folder !== undefined);
  for (const { files, windowFrom, windowTo } of samples) {
    for (const at of [Date.parse(windowFrom) - 1000, Date.parse(windowTo) + 1000]) {
      const document = readSample(folder, files[0]);
      const appraisal = await verifyNitro(document, { ...bare, at: new Date(at) });
      const failed = appraisal.checks.filter(({ outcome }) => outcome === "failed");
      assert.ok(failed.some(({ name }) => name === "path.validity"));
    }
  }
});

test("genuine documents are refused under any root but the pinned one", { skip: why }, async () => {
  assert.ok(folder !== undefined);
  for (const { files, checkTime } of samples) {
    const appraisal = await verifyNitro(readSample(folder, files[0]), {
      ...bare,
      anchors: [],
      at: new Date(checkTime),
    });
    assert.equal(appraisal.verdict, "refused");
    assert.equal(appraisal.claims, undefined);
  }
});

test("every bit that is flipped in a genuine document is noticed", { skip: why }, async () => {
  const [sample] = samples;
  assert.ok(folder !== undefined && sample !== undefined);
  const document = readSample(folder, sample.files[0]);
  for (let at = 0; at < document.length; at += 41) {
    const changed = document.slice();
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    const { verdict } = await verifyNitro(changed, { ...bare, at: new Date(sample.checkTime) });
    assert.equal(verdict, "refused", `byte ${at}`);
  }
});

test("the synthetic suite: accepted and refused as its index says", { skip: why }, async (t) => {
  assert.ok(folder !== undefined);
  const suite = readSampleJson<Suite>(folder, "synthetic/nitro/index.json");
  const pem = toText(readSample(folder, `synthetic/nitro/${suite.root}`));
  const root = parseCertificate(fromPem("CERTIFICATE", pem)[0]!);
  for (const [name, { expected, nonce, pcr0 }] of Object.entries(suite.cases)) {
    await t.test(name, async () => {
      const appraisal = await verifyNitro(readSample(folder, `synthetic/nitro/${name}.bin`), {
        ...bare,
        anchors: [root],
        at: new Date(suite.checkTime),
        nonce: name === "ok-userdata" ? "waived" : fromHex(nonce),
        pcrs: name === "debug" ? "waived" : new Map([[0, fromHex(pcr0)]]),
      });
      assert.equal(
        appraisal.verdict,
        expected === "ACCEPT" ? "affirmed" : "refused",
        JSON.stringify(appraisal.checks.filter(({ outcome }) => outcome === "failed")),
      );
    });
  }
});
