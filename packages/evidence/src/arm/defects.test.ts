// Tokens with one thing wrong each, under keys of our own: refused, and by that check.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CCA_DEFECTS, newCcaToken, newPsaToken, PSA_DEFECTS } from "@holdfast/testkit";
import fc from "fast-check";
import { type Appraisal, cborWrite as cbor, verifyCca, verifyPsa } from "../index.ts";

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
