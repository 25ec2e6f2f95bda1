// Tokens with one thing wrong each, under keys of our own: refused, and by that check.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ARM_NONCE,
  type CcaChanges,
  components,
  newCcaToken,
  newKeys,
  newPsaToken,
  type PsaChanges,
} from "@holdfast/testkit";
import fc from "fast-check";
import {
  type Appraisal,
  type ArmRequest,
  cborWrite as cbor,
  verifyCca,
  verifyPsa,
} from "../index.ts";

const stranger = { p256: newKeys("p256").privateKey, p384: newKeys("p384").privateKey };
const flip = (at: number) => (token: Uint8Array) => {
  const changed = token.slice();
  changed.set([(changed.at(at) ?? 0) ^ 1], at < 0 ? changed.length + at : at);
  return changed;
};

function failures({ checks }: Appraisal): string[] {
  return checks.filter(({ outcome }) => outcome === "failed").map(({ name }) => name);
}

test("tokens that are in order are affirmed, with every check passed", async () => {
  const psa = newPsaToken();
  const cca = newCcaToken();
  const newer = newCcaToken({ coseKey: true });
  const all = [
    await verifyPsa(psa.evidence, psa.request),
    await verifyCca(cca.evidence, cca.request),
    await verifyCca(newer.evidence, newer.request),
  ];
  for (const { checks, verdict } of all) {
    assert.deepEqual(
      checks.filter(({ outcome }) => outcome !== "passed"),
      [],
    );
    assert.equal(verdict, "affirmed");
  }
});

const PSA: readonly (readonly [string, readonly string[], PsaChanges, Partial<ArmRequest>?])[] = [
  ["cut short", ["psa.format"], { after: (token) => token.subarray(0, -1) }],
  ["a byte too many", ["psa.format"], { after: (token) => Uint8Array.of(...token, 0) }],
  ["no nonce", ["psa.format"], { claims: { 10: undefined } }],
  [
    "a nonce that is too short",
    ["psa.format"],
    { claims: { 10: cbor.bytes(ARM_NONCE.subarray(1)) } },
  ],
  ["no instance", ["psa.format"], { claims: { 256: undefined } }],
  ["another kind of instance", ["psa.format"], { claims: { 256: cbor.bytes(new Uint8Array(33)) } }],
  ["no lifecycle", ["psa.format"], { claims: { 2395: undefined } }],
  ["no components", ["psa.format"], { claims: { 2399: cbor.array() } }],
  ["no implementation", ["psa.format"], { claims: { 2396: undefined } }],
  ["no profile", ["psa.format"], { claims: { 265: undefined } }],
  ["another profile", ["psa.profile"], { claims: { 265: cbor.text("http://arm.com/other") } }],
  ["another key", ["psa.signature"], { signer: stranger.p256 }],
  ["signature changed", ["psa.signature"], { after: flip(-1) }],
  ["an algorithm that does not fit the key", ["psa.signature"], { algorithm: -35 }],
  ["not secured", ["psa.lifecycle"], { claims: { 2395: cbor.integer(0x2000) } }],
  ["debug", ["psa.lifecycle"], { claims: { 2395: cbor.integer(0x4000) } }],
  ["decommissioned", ["psa.lifecycle"], { claims: { 2395: cbor.integer(0x6000) } }],
  ["no known state", ["psa.lifecycle"], { claims: { 2395: cbor.integer(0x3100) } }],
  ["another nonce", ["psa.nonce"], {}, { nonce: new Uint8Array(32) }],
  ["report data", ["psa.report-data"], {}, { reportData: new Uint8Array(64) }],
  [
    "a component nobody accepted",
    ["psa.components"],
    {},
    { arm: { components: [{ measurement: "00".repeat(32) }] } },
  ],
  [
    "a component of another signer",
    ["psa.components"],
    {},
    { arm: { components: [{ measurement: "04".repeat(32), signerId: "00".repeat(32) }] } },
  ],
  ["another implementation", ["psa.implementation"], {}, { arm: { implementationIds: ["00"] } }],
  ["another claim", ["expect.lifecycle"], {}, { expect: new Map([["lifecycle", ["1"]]]) }],
];

for (const [name, fails, changes, change] of PSA) {
  test(`PSA refused: ${name}`, async () => {
    const { evidence, request } = newPsaToken(changes);
    const appraisal = await verifyPsa(evidence, { ...request, ...change });
    assert.deepEqual(failures(appraisal), fails);
    assert.equal(appraisal.verdict, "refused");
  });
}

const zeros = cbor.bytes(new Uint8Array(32));
const CCA: readonly (readonly [string, readonly string[], CcaChanges, Partial<ArmRequest>?])[] = [
  ["another collection", ["cca.format"], { tag: 400 }],
  ["cut short", ["cca.format"], { after: (token) => token.subarray(0, -1) }],
  ["no realm key", ["cca.format"], { realm: { 44237: undefined } }],
  [
    "a realm key of another kind",
    ["cca.format"],
    { realm: { 44237: cbor.bytes(new Uint8Array(97)) } },
  ],
  ["a challenge of another length", ["cca.format"], { realm: { 10: zeros } }],
  [
    "three extensible measurements",
    ["cca.format"],
    { realm: { 44239: cbor.array(zeros, zeros, zeros) } },
  ],
  ["another platform profile", ["cca.profile"], { platform: { 265: cbor.text("other") } }],
  ["another realm profile", ["cca.profile"], { realm: { 265: cbor.text("other") } }],
  ["platform of another key", ["cca.platform-signature"], { platformSigner: stranger.p384 }],
  ["realm of another key", ["cca.realm-signature"], { realmSigner: stranger.p384 }],
  ["platform that does not vouch for this realm", ["cca.binding"], { platform: { 10: zeros } }],
  ["a hash nobody knows", ["cca.binding"], { realm: { 44240: cbor.text("md5") } }],
  ["not secured", ["cca.lifecycle"], { platform: { 2395: cbor.integer(0x1000) } }],
  ["debug", ["cca.lifecycle"], { platform: { 2395: cbor.integer(0x5000) } }],
  ["another challenge", ["cca.nonce"], {}, { nonce: new Uint8Array(64) }],
  ["half a challenge", ["cca.nonce"], {}, { nonce: new Uint8Array(32).fill(8) }],
  [
    "firmware nobody accepted",
    ["cca.components"],
    { platform: { 2399: components(new Uint8Array(32)) } },
    { arm: { components: [{ measurement: "04".repeat(32) }] } },
  ],
  [
    "another realm",
    ["expect.realmInitialMeasurement"],
    {},
    { expect: new Map([["realmInitialMeasurement", ["00"]]]) },
  ],
];

for (const [name, fails, changes, change] of CCA) {
  test(`CCA refused: ${name}`, async () => {
    const { evidence, request } = newCcaToken(changes);
    const appraisal = await verifyCca(evidence, { ...request, ...change });
    assert.deepEqual(failures(appraisal), fails);
    assert.equal(appraisal.verdict, "refused");
  });
}

test("a key that was enrolled for another instance does not speak for this one", async () => {
  const { evidence, request } = newPsaToken();
  const keys = request.endorsements.keys.map((key) => ({ ...key, name: `01${"00".repeat(32)}` }));
  const endorsements = { ...request.endorsements, keys };
  const appraisal = await verifyPsa(evidence, { ...request, endorsements });
  assert.equal(appraisal.verdict, "not-judged");
});

test("debug is affirmed only when it is allowed", async () => {
  const { evidence, request } = newPsaToken({ claims: { 2395: cbor.integer(0x4000) } });
  const appraisal = await verifyPsa(evidence, { ...request, allowDebug: true });
  assert.equal(appraisal.verdict, "affirmed");
  assert.equal(appraisal.debug, true);
});

test("mutated tokens are refused", async () => {
  const psa = newPsaToken();
  const cca = newCcaToken();
  await fc.assert(
    fc.asyncProperty(
      fc.nat(psa.evidence.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, bits) => {
        const mutated = psa.evidence.slice();
        mutated[at] = (mutated[at] ?? 0) ^ bits;
        assert.notEqual((await verifyPsa(mutated, psa.request)).verdict, "affirmed");
        const other = cca.evidence.slice();
        other[at] = (other[at] ?? 0) ^ bits;
        assert.notEqual((await verifyCca(other, cca.request)).verdict, "affirmed");
      },
    ),
    { numRuns: 200 },
  );
});
