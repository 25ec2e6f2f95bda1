// Decisions judged again: right ones agree with their record, tampered ones don't, old ones say what changed.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { type Check, toBase64, toHex, webCrypto } from "@holdfast/core";
import type { DecisionRecord } from "@holdfast/evidence";
import { FIRST_PREVIOUS, NO_ENDORSEMENTS, verifyEvidence } from "@holdfast/evidence";
import { filled, type NitroChanges, newNitroDocument, newNitroWorld } from "@holdfast/testkit";
import { judgeProof, newKeepKey, replayDecision } from "./index.ts";

const world = await newNitroWorld();
const { request: csr, spki } = await newKeepKey(filled(32, 0xab), "test");
const MAXIMUM_AGE = 300_000;
const DAY = 24 * 60 * 60 * 1000;

async function evidence(changes: NitroChanges = {}): Promise<Uint8Array> {
  const userData = new Uint8Array(createHash("sha256").update(csr).digest());
  return await newNitroDocument(world, {
    ...changes,
    payload: { nonce: world.nonce, userData, ...changes.payload },
  });
}

async function judge(document: Uint8Array) {
  return await judgeProof({
    csr,
    evidence: document,
    nonce: world.nonce,
    anchors: [world.root],
    at: world.at,
    crypto: webCrypto,
    maximumAge: MAXIMUM_AGE,
    policyHashRequired: true,
  });
}

async function recordOf(document: Uint8Array): Promise<DecisionRecord> {
  const { checks, proven } = await judge(document);
  return {
    sequence: 7,
    previous: FIRST_PREVIOUS,
    kind: "certify",
    outcome: proven === undefined ? "refused" : "issued",
    time: world.at.toISOString(),
    checks: [{ name: "challenge.open", outcome: "passed", detail: "" }, ...checks],
    evidence: toBase64(document),
    csr: toBase64(csr),
    nonce: toHex(world.nonce),
    facts: { maximum_age: MAXIMUM_AGE, policy_hash_required: true },
  };
}

function replay(record: DecisionRecord, at = world.at) {
  return replayDecision({ record, anchors: [world.root], crypto: webCrypto, at });
}

function names(checks: readonly Pick<Check, "name">[] | undefined): string[] | undefined {
  return checks?.map(({ name }) => name);
}

test("a proof is proven: platform, measurement, policy, and the very key", async () => {
  const { proven } = await judge(await evidence());
  assert.deepEqual(proven, {
    platform: "simulated-nitro",
    spki: new Uint8Array(spki),
    measurement: toHex(world.image.subarray(0, 32)),
    policyHash: "ab".repeat(32),
  });
});

test("a right decision agrees with its record, and is the same at the same time", async () => {
  const found = await replay(await recordOf(await evidence()));
  assert.deepEqual(found?.contradictions, []);
  assert.deepEqual(found?.changes, []);
});

test("a refusal agrees with its record too", async () => {
  const old = await evidence({ payload: { timestamp: world.at.getTime() - 2 * MAXIMUM_AGE } });
  const record = await recordOf(old);
  assert.equal(record.outcome, "refused");
  assert.deepEqual((await replay(record))?.contradictions, []);
});

test("a day later the replay says that evidence and certificates have grown old", async () => {
  const found = await replay(await recordOf(await evidence()), new Date(world.at.getTime() + DAY));
  assert.deepEqual(found?.contradictions, []);
  assert.deepEqual(names(found?.changes), ["path.validity", "nitro.time"]);
  assert.match(found?.changes[0]?.detail ?? "", /expired at/);
});

test("a record whose evidence was exchanged contradicts itself", async () => {
  const record = await recordOf(await evidence());
  const other = await evidence({ payload: { nonce: filled(32, 9) } });
  const found = await replay({ ...record, evidence: toBase64(other) });
  assert.deepEqual(found?.contradictions, [
    {
      name: "nitro.nonce",
      before: "passed",
      after: "failed",
      detail: `${"09".repeat(32)}, ${toHex(world.nonce)} expected`,
    },
  ]);
});

test("a check left out of a record, or put in, is a contradiction", async () => {
  const record = await recordOf(await evidence());
  const without = record.checks.filter(({ name }) => name !== "nitro.debug");
  const invented: Check = { name: "nitro.invented", outcome: "passed", detail: "" };
  const found = await replay({ ...record, checks: [...without, invented] });
  assert.deepEqual(
    found?.contradictions.map(({ name, before, after }) => [name, before, after]),
    [
      ["nitro.invented", "passed", "absent"],
      ["nitro.debug", "absent", "passed"],
    ],
  );
});

test("what was not judged is not replayed", async () => {
  const { evidence: _evidence, ...record } = await recordOf(await evidence());
  assert.equal(await replay(record), undefined);
});

test("an appraisal for a relying party is replayed too", async () => {
  const document = await evidence();
  const { checks } = await verifyEvidence(document, {
    anchors: [world.root],
    at: world.at,
    crypto: webCrypto,
    endorsements: NO_ENDORSEMENTS,
    nonce: world.nonce,
  });
  const { csr: _csr, ...base } = await recordOf(document);
  const reference: Check = { name: "reference.values", outcome: "failed", detail: "" };
  const record = {
    ...base,
    kind: "appraise",
    checks: [...checks, reference],
    facts: { type: "nitro" },
  };
  assert.deepEqual((await replay(record))?.contradictions, []);
  const pinned = { ...record, facts: { type: "nitro", report_data: "00" } };
  assert.deepEqual(names((await replay(pinned))?.contradictions), ["nitro.user-data"]);
});

test("a record that lacks what it was made from is malformed", async () => {
  const record = await recordOf(await evidence());
  const { csr: _csr, ...without } = record;
  for (const broken of [
    without,
    { ...record, facts: {} },
    { ...record, evidence: "*" },
    { ...record, time: "yesterday" },
    { ...record, kind: "rotate" },
    { ...record, kind: "appraise", facts: { type: "nitro", report_data: "x" } },
    { ...record, kind: "appraise", facts: { type: "nitro", expect: "{" } },
  ]) {
    await assert.rejects(replay(broken), { code: "EVIDENCE_MALFORMED" });
  }
});
