// Tokens with one thing wrong each, under keys of our own: refused, and by that check.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CCA_DEFECTS,
  newCcaToken,
  newPsaToken,
  OLD_PSA_CLAIMS,
  PSA_DEFECTS,
} from "@holdfast/testkit";
import fc from "fast-check";
import {
  type Appraisal,
  cborWrite as cbor,
  recogniseEvidence,
  verifyCca,
  verifyPsa,
} from "../index.ts";

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

for (const { name, fails, changes, request: change } of PSA_DEFECTS) {
  test(`PSA refused: ${name}`, async () => {
    const { evidence, request } = newPsaToken(changes);
    const appraisal = await verifyPsa(evidence, { ...request, ...change });
    assert.deepEqual(failures(appraisal), fails);
    assert.equal(appraisal.verdict, "refused");
  });
}

for (const { name, fails, changes, request: change } of CCA_DEFECTS) {
  test(`CCA refused: ${name}`, async () => {
    const { evidence, request } = newCcaToken(changes);
    const appraisal = await verifyCca(evidence, { ...request, ...change });
    assert.deepEqual(failures(appraisal), fails);
    assert.equal(appraisal.verdict, "refused");
  });
}

const NO_COMPONENTS = { [-75006]: undefined, [-75007]: cbor.integer(1) };

test("a token of the profile before the standard says the same by other numbers", async () => {
  const { evidence, request } = newPsaToken({ claims: OLD_PSA_CLAIMS });
  assert.equal(recogniseEvidence(evidence).type, "psa");
  const { verdict, claims } = await verifyPsa(evidence, request);
  assert.equal(verdict, "affirmed");
  const standard = newPsaToken();
  const wanted = (await verifyPsa(standard.evidence, standard.request)).claims;
  const { verificationService: _, ...rest } = wanted ?? { verificationService: "" };
  assert.deepEqual(claims, { ...rest, profile: "PSA_IOT_PROFILE_1" });
  const bare = newPsaToken({ claims: { ...OLD_PSA_CLAIMS, ...NO_COMPONENTS } });
  assert.deepEqual((await verifyPsa(bare.evidence, bare.request)).claims?.components, []);
});

for (const [name, claims, check] of [
  ["without components, and without saying so", { [-75006]: undefined }, "psa.format"],
  ["without a nonce", { [-75008]: undefined }, "psa.format"],
  ["with another profile's name", { [-75000]: cbor.text("OTHER") }, "psa.profile"],
  ["in debug", { [-75002]: cbor.integer(0x4000) }, "psa.lifecycle"],
] as const) {
  test(`PSA of the older profile refused: ${name}`, async () => {
    const { evidence, request } = newPsaToken({ claims: { ...OLD_PSA_CLAIMS, ...claims } });
    const appraisal = await verifyPsa(evidence, request);
    assert.deepEqual(failures(appraisal), [check]);
  });
}

test("a MAC is read and never proven, whatever key was enrolled", async () => {
  const { evidence, request } = newPsaToken();
  const maced = evidence.with(0, 0xd1);
  assert.equal(recogniseEvidence(maced).type, "psa");
  const { verdict, claims, checks } = await verifyPsa(maced, request);
  assert.equal(verdict, "not-judged");
  assert.equal(claims, undefined);
  assert.deepEqual(
    checks.filter(({ outcome }) => outcome !== "passed").map(({ name }) => name),
    ["psa.key", "psa.signature"],
  );
});

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
