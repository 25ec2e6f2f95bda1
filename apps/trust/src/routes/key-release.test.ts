// A key goes to the keep its owner meant, and to no other: each term of a grant and each check of the evidence is spoilt on its
// own. The answer is the same for all; the log says which.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { makeReleaseRequest, openReleasedKey } from "@holdfast/channel";
import type { KeyGrant } from "@holdfast/contract";
import { canonicalJson, fromText, toHex, toText, unmet } from "@holdfast/core";
import { filled, newNitroWorld } from "@holdfast/testkit";
import {
  administer,
  askForKey,
  type Bid,
  digestOf,
  GRANT,
  INPUT,
  KEY,
  KEY_NAME,
  lastDecision,
  MEASUREMENT,
  type PolicyChanges,
  PROGRAM,
  PROGRAM_PATH,
  people,
  policyText,
  putKey,
  RIGHT,
  replayOf,
  SEALED_PATH,
  sendBid,
  sha256,
} from "../testing/release.ts";
import {
  challengeOf,
  evidenceOver,
  keepRequest,
  newService,
  putReferences,
  submit,
  type TestService,
  world,
} from "../testing/service.ts";

const GOOD = makeReleaseRequest({ name: KEY_NAME, policyText: policyText() });
const SHORT = makeReleaseRequest({ name: KEY_NAME, policyText: "{}" }).bytes;
const DULL = {
  type: "about:blank",
  title: "Forbidden",
  status: 403,
  code: "KEY_NOT_RELEASED",
  detail: "the key was not released; the log of the service says why",
};
const { policies: _p, readers: _r, not_after: _n, ...PROGRAMS_ALONE } = GRANT;
const { programs: _q, ...POLICY_ALONE } = GRANT;

async function service(t: TestContext, grant: KeyGrant = GRANT): Promise<TestService> {
  const made = await newService(t);
  await putKey(made, grant);
  return made;
}

/** The dull answer went out, nothing was counted, and the log has these faults. */
async function assertRefused(
  of: TestService,
  answer: Awaited<ReturnType<typeof askForKey>>,
  failed: readonly string[],
): Promise<void> {
  assert.equal(answer.statusCode, 403, answer.body);
  assert.deepEqual(answer.json(), DULL);
  const decision = await lastDecision(of);
  const { kind, outcome, checks, facts } = decision;
  assert.deepEqual([kind, outcome], ["release", "refused"]);
  if (decision.evidence !== undefined) {
    const replay = await replayOf(of, decision, world.at);
    assert.deepEqual(replay?.contradictions, []);
  }
  const faults = checks.filter((each) => each.outcome === "failed").map(({ name }) => name);
  assert.deepEqual(faults, failed);
  assert.equal(typeof facts["key"], "string");
  const { keys } = (await administer(of, "GET", "/v1/keys")).json();
  assert.ok(keys.every(({ released }: { released: number }) => released === 0));
}

const GOOD_GRANTS: readonly (readonly [name: string, grant: KeyGrant])[] = [
  ["every term", GRANT],
  ["programs and measurement alone", PROGRAMS_ALONE],
  ["the policy in place of programs", POLICY_ALONE],
  ["the whole PCR0", { ...GRANT, measurements: ["00".repeat(32), toHex(world.image)] }],
];

for (const [name, grant] of GOOD_GRANTS) {
  test(`released: ${name}`, async (t) => {
    const of = await service(t, grant);
    const answer = await askForKey(of, GOOD.bytes);
    assert.equal(answer.statusCode, 200, answer.body);
    assert.deepEqual(openReleasedKey(GOOD.privateKey, answer.json()["jwe"]), KEY);
    const decision = await lastDecision(of);
    const { kind, outcome, checks, facts } = decision;
    assert.deepEqual([kind, outcome], ["release", "released"]);
    const replay = await replayOf(of, decision, new Date("2030-01-01T00:00:00Z"));
    assert.deepEqual(replay?.contradictions, []);
    const changes = replay?.changes.map((each) => each.name) ?? [];
    const expired = grant.not_after === undefined ? [] : ["grant.time"];
    assert.deepEqual(changes, ["path.validity", "nitro.time", ...expired]);
    const open = unmet(checks).map((each) => each.name);
    assert.deepEqual(open, ["nitro.pcrs", "nitro.public-key", "reference.values"]);
    assert.equal(facts["policy_hash"], sha256(policyText()));
    const told = (await administer(of, "GET", `/v1/keys/${KEY_NAME}`)).json();
    assert.equal(told.released, 1);
    assert.equal(told.last_released_at, world.at.toISOString());
  });
}

test("released to each of many keeps at once, and every release is counted", async (t) => {
  const of = await service(t);
  const answers = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const { bytes, privateKey } = makeReleaseRequest({
        name: KEY_NAME,
        policyText: policyText(),
      });
      return openReleasedKey(privateKey, (await askForKey(of, bytes)).json()["jwe"]);
    }),
  );
  for (const opened of answers) assert.deepEqual(opened, KEY);
  assert.equal((await administer(of, "GET", `/v1/keys/${KEY_NAME}`)).json().released, 8);
});

const OTHER = "dd".repeat(32);
const GRANTS: readonly (readonly [name: string, change: Partial<KeyGrant>, failed: string])[] = [
  ["a measurement that is not listed", { measurements: [OTHER] }, "grant.measurement"],
  [
    "a PCR0 that only begins as the listed one",
    { measurements: [`${MEASUREMENT}${"00".repeat(16)}`] },
    "grant.measurement",
  ],
  ["a program that is not listed", { programs: [OTHER] }, "grant.programs"],
  ["a policy that is not listed", { policies: [OTHER] }, "grant.policy"],
  ["a simulated platform that is refused", { simulated: false }, "grant.platform"],
  ["a reader who is not listed", { readers: [OTHER] }, "grant.readers"],
  ["a reader where nobody may be one", { readers: [] }, "grant.readers"],
  ["a grant that has expired", { not_after: "2026-06-01T09:59:59Z" }, "grant.time"],
];

for (const [name, change, failed] of GRANTS) {
  test(`refused: ${name}`, async (t) => {
    const of = await service(t, { ...GRANT, ...change });
    await assertRefused(of, await askForKey(of, GOOD.bytes), [failed]);
  });
}

test("refused: a simulated platform where nothing is said of it", async (t) => {
  const { simulated: _, ...silent } = GRANT;
  const of = await service(t, silent);
  await assertRefused(of, await askForKey(of, GOOD.bytes), ["grant.platform"]);
});

const SECOND = "/program/second.wasm";
const POLICIES: readonly (readonly [name: string, change: PolicyChanges, failed: string[]])[] = [
  [
    "a second program that is not listed",
    { programs: { [PROGRAM_PATH]: PROGRAM, [SECOND]: OTHER } },
    ["grant.programs"],
  ],
  [
    "a program that is not pinned",
    { programs: { [PROGRAM_PATH]: PROGRAM, [SECOND]: undefined } },
    ["grant.programs"],
  ],
  ["a policy in debug mode", { members: { debug: true } }, ["release.debug"]],
  ["a policy that seals nothing", { inputs: [] }, ["release.input"]],
  [
    "a policy that seals with another key",
    { inputs: [{ ...INPUT, key: "another" }] },
    ["release.input"],
  ],
  [
    "a user who may read what the key opens",
    { userRights: { [SEALED_PATH]: RIGHT.read } },
    ["release.exposure"],
  ],
  ["a user who may read all above it", { userRights: { "/": RIGHT.read } }, ["release.exposure"]],
  ["a user who may write all above it", { userRights: { "/": RIGHT.write } }, ["release.exposure"]],
  [
    "a user who may read its directory",
    { userRights: { "/program_data/": RIGHT.read } },
    ["release.exposure"],
  ],
  [
    "a loader who may write over it",
    { loaderRights: { [SEALED_PATH]: RIGHT.write } },
    ["release.exposure"],
  ],
  [
    "a loader who may read elsewhere",
    { loaderRights: { "/elsewhere/": RIGHT.read } },
    ["grant.readers"],
  ],
  ["a loader who may list", { loaderRights: { "/elsewhere/": RIGHT.list } }, ["grant.readers"]],
  ["a loader who may read a stream", { loaderRights: { stdout: RIGHT.read } }, ["grant.readers"]],
  [
    "a loader who may run the program",
    { loaderRights: { [PROGRAM_PATH]: RIGHT.execute } },
    ["grant.readers"],
  ],
  ["a policy that is none", { members: { ciphersuite: "NONE" } }, ["release.policy"]],
];

for (const [name, change, failed] of POLICIES) {
  test(`refused: ${name}`, async (t) => {
    const text = policyText(change);
    const of = await service(t, { ...GRANT, policies: [sha256(text)] });
    const { bytes } = makeReleaseRequest({ name: KEY_NAME, policyText: text });
    await assertRefused(of, await askForKey(of, bytes), failed);
  });
}

test("refused: a policy text that hashes otherwise, though it says the same", async (t) => {
  const of = await service(t);
  const { bytes } = makeReleaseRequest({ name: KEY_NAME, policyText: `${policyText()}\n` });
  await assertRefused(of, await askForKey(of, bytes), ["grant.policy"]);
});

const stranger = await newNitroWorld();
const other = makeReleaseRequest({ name: KEY_NAME, policyText: policyText() }).bytes;
const BIDS: readonly (readonly [name: string, bid: Bid, failed: string[]])[] = [
  ["a challenge that nobody gave", { challengeId: "none" }, ["challenge.open"]],
  ["evidence over another request", { attested: other }, ["nitro.user-data"]],
  [
    "evidence over another challenge",
    { evidence: { payload: { nonce: filled(32, 9) } } },
    ["nitro.nonce"],
  ],
  [
    "a simulated root that is not known",
    { evidence: { chain: () => stranger.chain } },
    ["path.anchor"],
  ],
  [
    "evidence that is older than a challenge may be",
    { evidence: { payload: { timestamp: world.at.getTime() - 301_000 } } },
    ["nitro.time"],
  ],
  [
    "a platform in debug mode",
    {
      evidence: {
        payload: { pcrs: new Map([0, 1, 2, 3].map((index) => [index, filled(48, 0)])) },
      },
    },
    ["nitro.debug", "measurement.present"],
  ],
  [
    "a document that somebody changed",
    { evidence: { document: (document) => document.with(-1, (document.at(-1) ?? 0) ^ 1) } },
    ["nitro.signature"],
  ],
];

for (const [name, bid, failed] of BIDS) {
  test(`refused: ${name}`, async (t) => {
    const of = await service(t);
    await assertRefused(of, await askForKey(of, GOOD.bytes, bid), failed);
  });
}

test("refused: a challenge that was answered already", async (t) => {
  const of = await service(t, { ...GRANT, not_after: "2026-06-01T09:59:59Z" });
  const { id, nonce } = await challengeOf(of);
  const bid = { id, request: GOOD.bytes, evidence: await evidenceOver(nonce, GOOD.bytes) };
  await assertRefused(of, await sendBid(of, bid), ["grant.time"]);
  await administer(of, "PUT", `/v1/keys/${KEY_NAME}/grant`, GRANT);
  await assertRefused(of, await sendBid(of, bid), ["challenge.open"]);
});

test("refused: a challenge that has expired", async (t) => {
  const of = await service(t);
  const late = () => {
    of.now = new Date(world.at.getTime() + 301_000);
  };
  await assertRefused(of, await askForKey(of, GOOD.bytes, { meanwhile: late }), ["challenge.open"]);
});

test("refused: another key in the request than in the path", async (t) => {
  const of = await service(t);
  const { bytes } = makeReleaseRequest({ name: "another", policyText: policyText() });
  await assertRefused(of, await askForKey(of, bytes), ["release.name"]);
});

test("refused: another key in the path than in the request", async (t) => {
  const of = await service(t);
  const answer = await askForKey(of, GOOD.bytes, { name: "another" });
  await assertRefused(of, answer, ["release.name", "release.input", "grant.known"]);
});

test("refused: a key that was deleted before it was asked for", async (t) => {
  const of = await service(t);
  const gone = () => administer(of, "DELETE", `/v1/keys/${KEY_NAME}`);
  await assertRefused(of, await askForKey(of, GOOD.bytes, { meanwhile: gone }), ["grant.known"]);
});

const TEXT = toText(GOOD.bytes);
const JWK = JSON.parse(TEXT)["jwk"];
const withJwk = (change: object): string =>
  canonicalJson({ ...JSON.parse(TEXT), jwk: { ...JWK, ...change } });
const REQUESTS: readonly (readonly [name: string, request: string])[] = [
  ["a request that is not canonical", `${TEXT} `],
  ["a request with an unknown member", canonicalJson({ ...JSON.parse(TEXT), more: 1 })],
  ["a request with a member twice", TEXT.replace("{", '{"key":"another",')],
  ["a request that is too long", TEXT.replace('"policy":"', `"policy":"${" ".repeat(512 * 1024)}`)],
  ["a request that is no JSON", "0"],
  ["a public key off the curve", withJwk({ y: JWK.x })],
  ["a public key on another curve", withJwk({ crv: "P-384" })],
  ["a private member in the public key", withJwk({ d: JWK.x })],
];

for (const [name, text] of REQUESTS) {
  test(`refused: ${name}`, async (t) => {
    const of = await service(t);
    await assertRefused(of, await askForKey(of, fromText(text)), ["release.request"]);
  });
}

test("reference values hold for keys, too", async (t) => {
  const of = await service(t);
  await putReferences(of, "keeps", [toHex(filled(48, 9))]);
  await assertRefused(of, await askForKey(of, GOOD.bytes), ["reference.values"]);
  await putReferences(of, "keeps", [toHex(world.image)]);
  assert.equal((await askForKey(of, GOOD.bytes)).statusCode, 200);
});

test("new terms hold from the next request on", async (t) => {
  const of = await service(t, { ...GRANT, readers: [] });
  await assertRefused(of, await askForKey(of, GOOD.bytes), ["grant.readers"]);
  const readers = { ...GRANT, readers: [digestOf(people.loader), digestOf(people.user)] };
  await administer(of, "PUT", `/v1/keys/${KEY_NAME}/grant`, readers);
  assert.equal((await askForKey(of, GOOD.bytes)).statusCode, 200);
});

test("a request for a key gets no certificate, and one for a certificate no key", async (t) => {
  const of = await service(t);
  const { id, nonce } = await challengeOf(of);
  const evidence = await evidenceOver(nonce, SHORT);
  const answer = await submit(of, id, evidence, SHORT);
  assert.equal(answer.json().code, "ATTESTATION_REFUSED");
  assert.deepEqual(unmet((await lastDecision(of)).checks)[0]?.name, "request.format");
  await assertRefused(of, await askForKey(of, await keepRequest()), ["release.request"]);
});

test("nothing goes out that the log can't take", async (t) => {
  const of = await newService(t, { brokenLog: true });
  await assert.rejects(putKey(of), /INTERNAL/);
  for (const name of [KEY_NAME, "another"]) {
    const { bytes } = makeReleaseRequest({ name, policyText: policyText() });
    const { statusCode, body } = await askForKey(of, bytes, { name });
    assert.equal(statusCode, 500);
    assert.doesNotMatch(body, /jwe/);
  }
});

test("refusals over the bound stay out of the log, with the same answer", async (t) => {
  const of = await service(t);
  const bid = { id: "none", evidence: filled(8, 1), request: filled(8, 1) };
  for (let count = 0; count < 125; count += 1) {
    assert.deepEqual((await sendBid(of, bid)).json(), DULL);
  }
  assert.equal((await of.decisions()).length, 1 + 120);
});
