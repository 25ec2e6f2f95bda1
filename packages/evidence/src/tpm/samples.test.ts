// Quotes of a software TPM and of services: claims and results as the samples' index states them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { webCrypto } from "@holdfast/core";
import { NO_ENDORSEMENTS, verifyTpm } from "../index.ts";
import { asObject } from "../json/members.ts";
import {
  vectorBytes,
  vectorEndorsements,
  vectorEntries,
  vectorJson,
  WITH_VECTORS,
} from "../testing/vectors.ts";
import { assembleTpm } from "./companions.ts";
import { parseTpmJson } from "./evidence.ts";

const at = new Date("2026-11-24T00:00:00Z");
const crypto = webCrypto;

for (const entry of vectorEntries("tpm-swtpm-")) {
  test(`${entry.id}: ${entry.expected}`, WITH_VECTORS, async () => {
    const endorsements = vectorEndorsements(...entry.files);
    const message = entry.files.find((file) => file.endsWith("/quote.msg")) ?? "";
    const evidence = assembleTpm(vectorBytes(message), endorsements);
    const nonce = Uint8Array.fromHex(String(entry.claims?.["nonce"]));
    const appraisal = await verifyTpm(evidence, { at, crypto, endorsements, nonce });
    assert.equal(appraisal.verdict, "affirmed");
    for (const [name, value] of Object.entries(entry.claims ?? {})) {
      assert.deepEqual({ ...appraisal.claims }[name], value, name);
    }
    const byName = await verifyTpm(evidence, {
      at,
      crypto,
      endorsements: NO_ENDORSEMENTS,
      expect: new Map([["akName", [String(entry.claims?.["akName"])]]]),
    });
    assert.equal(byName.verdict, "affirmed");
    const untrusted = await verifyTpm(evidence, { at, crypto, endorsements: NO_ENDORSEMENTS });
    assert.equal(untrusted.verdict, "not-judged");
    assert.equal(untrusted.claims, undefined);
  });
}

test("evidence of a service whose key was enrolled", WITH_VECTORS, async () => {
  const [entry] = vectorEntries("tpm-trustee");
  const json = vectorJson<Record<string, unknown>>("tpm/trustee-evidence.json");
  const evidence = parseTpmJson(json);
  const { key } = evidence;
  assert.ok(key !== undefined);
  const endorsements = { ...NO_ENDORSEMENTS, keys: [key] };
  const appraisal = await verifyTpm(evidence, { at, crypto, endorsements });
  assert.equal(appraisal.verdict, "affirmed");
  assert.equal(appraisal.claims?.qualifyingData, entry?.claims?.["qualifyingData"]);
  assert.equal(appraisal.claims?.pcrSelection, "ffffff");
});

/** What refuses each case of the suite; nothing else may. */
const REFUSED_BY: Readonly<Record<string, readonly string[]>> = {
  "pcr-value-forged": ["tpm.pcr-digest"],
  "pcr-missing": ["tpm.pcr-digest"],
  "other-nonce": ["tpm.nonce"],
  "ak-swapped": ["tpm.signature"],
  "unrestricted-key": ["tpm.ak", "tpm.ak-attributes"],
  "sig-flipped": ["tpm.signature"],
};

test("the suite of single faults", WITH_VECTORS, async (t) => {
  const suite = vectorJson<{
    cases: Record<string, { expected: string; expectedNonce: string; expectedAkName: string }>;
  }>("synthetic/tpm/index.json");
  for (const [name, { expected, expectedNonce, expectedAkName }] of Object.entries(suite.cases)) {
    await t.test(`${name}: ${expected}`, async () => {
      const json = asObject(vectorJson(`synthetic/tpm/${name}.json`), name);
      const appraisal = await verifyTpm(parseTpmJson(json), {
        at,
        crypto,
        endorsements: NO_ENDORSEMENTS,
        nonce: Uint8Array.fromHex(expectedNonce),
        tpm: { akNames: [expectedAkName] },
      });
      const failed = appraisal.checks.filter(({ outcome }) => outcome === "failed");
      assert.deepEqual(
        failed.map((each) => each.name),
        REFUSED_BY[name] ?? [],
      );
      assert.equal(appraisal.verdict, expected === "ACCEPT" ? "affirmed" : "refused");
    });
  }
});
