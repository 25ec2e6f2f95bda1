// Releases of keys judged again, offline, from what the service keeps: right ones agree with their record, records that lie are
// told, and nobody who fills the disk keeps a release from being judged.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { makeReleaseRequest, replayDecision } from "@holdfast/channel";
import type { KeyGrant } from "@holdfast/contract";
import { canonicalJson, webCrypto } from "@holdfast/core";
import { BASIS_PASSED_OVER, type DecisionRecord, REQUEST_FACT } from "@holdfast/evidence";
import { newNitroWorld } from "@holdfast/testkit";
import {
  askForKey,
  GRANT,
  KEY_NAME,
  lastDecision,
  policyText,
  putKey,
  replayOf,
  sha256,
} from "../testing/release.ts";
import { newService, type TestService, world } from "../testing/service.ts";

const GOOD = makeReleaseRequest({ name: KEY_NAME, policyText: policyText() });
const stranger = await newNitroWorld();

async function service(t: TestContext, grant: KeyGrant = GRANT): Promise<TestService> {
  const made = await newService(t);
  await putKey(made, grant);
  return made;
}

const LIES: readonly (readonly [
  name: string,
  change: (record: DecisionRecord) => DecisionRecord,
])[] = [
  ["a refusal that says it was a release", (record) => ({ ...record, outcome: "released" })],
  [
    "terms that would have been met",
    ({ facts, ...record }) => ({ ...record, facts: { ...facts, grant: canonicalJson(GRANT) } }),
  ],
  ["no terms", ({ facts: { grant: _, ...facts }, ...record }) => ({ ...record, facts })],
  ["another key", ({ facts, ...record }) => ({ ...record, facts: { ...facts, key: "another" } })],
];

for (const [name, lie] of LIES) {
  test(`an audit contradicts ${name}`, async (t) => {
    const of = await service(t, { ...GRANT, readers: [] });
    await askForKey(of, GOOD.bytes);
    const replay = await replayOf(of, lie(await lastDecision(of)), world.at);
    assert.ok((replay?.contradictions.length ?? 0) > 0);
  });
}

const UNREADABLE: readonly (readonly [name: string, facts: Record<string, string | number>])[] = [
  ["terms that are none", { grant: '{"measurements":"all"}' }],
  ["terms with a list of numbers", { grant: '{"measurements":[],"readers":[1]}' }],
  ["terms that are not JSON", { grant: "{" }],
  ["the hash of another request", { [REQUEST_FACT]: "00".repeat(32) }],
  ["a number for the key", { key: 1 }],
];

for (const [name, change] of UNREADABLE) {
  test(`an audit does not go by ${name}`, async (t) => {
    const of = await service(t);
    await askForKey(of, GOOD.bytes);
    const { facts, ...record } = await lastDecision(of);
    const changed = { ...record, facts: { ...facts, ...change } };
    await assert.rejects(replayOf(of, changed, world.at), { code: "EVIDENCE_MALFORMED" });
  });
}

test("a release whose request is gone can't be judged again, and says so", async (t) => {
  const of = await service(t);
  await askForKey(of, GOOD.bytes);
  const record = await lastDecision(of);
  const replay = replayDecision({ record, anchors: [world.root], crypto: webCrypto, at: world.at });
  await assert.rejects(replay, { code: "EVIDENCE_MALFORMED", message: /no request/ });
});

test("a request that no platform stood behind is not kept, and is judged by its hash", async (t) => {
  const of = await service(t);
  const marker = makeReleaseRequest({ name: KEY_NAME, policyText: "a text that fills disks" });
  await askForKey(of, marker.bytes, { evidence: { chain: () => stranger.chain } });
  const folder = join(of.directory, "decisions.basis");
  for (const name of await readdir(folder)) {
    assert.doesNotMatch(await readFile(join(folder, name), "utf8"), /fills disks/);
  }
  assert.equal((await lastDecision(of)).facts[REQUEST_FACT], sha256(marker.bytes));
});

test("who fills the log keeps no release from being judged again", async (t) => {
  const of = await service(t);
  const filler = "x".repeat(500_000);
  for (let count = 0; count < 34; count += 1) {
    const { bytes } = makeReleaseRequest({ name: KEY_NAME, policyText: filler });
    await askForKey(of, bytes);
  }
  assert.equal((await lastDecision(of)).facts[BASIS_PASSED_OVER], true);
  assert.equal((await askForKey(of, GOOD.bytes)).statusCode, 200);
  const replay = await replayOf(of, await lastDecision(of), world.at);
  assert.deepEqual(replay?.contradictions, []);
});
