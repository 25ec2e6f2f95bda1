// Attestation results of other verifiers: a right one is affirmed, one with one fault is refused by the check of that fault.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  EAR_DEFECTS,
  EAR_KEYS,
  EAR_OPEN,
  type EarChanges,
  enrolledKey,
  newEarToken,
  newKeys,
} from "@holdfast/testkit";
import fc from "fast-check";
import { NO_ENDORSEMENTS, type TrustedKey, verifyEvidence } from "../index.ts";

const { request } = newEarToken();
const tokenOf = (changes: EarChanges = {}) => newEarToken(changes).evidence;
const strangers = newKeys("p256");

test("a result is affirmed, under the draft's names and under the older ones", async () => {
  const right = await verifyEvidence(tokenOf(), request);
  assert.equal(right.verdict, "affirmed", JSON.stringify(right.checks));
  assert.equal(right.type, "ear");
  assert.ok(right.checks.every(({ outcome }) => outcome === "passed"));
  const dotted = tokenOf({
    payload: {
      eat_profile: "tag:github.com,2023:veraison/ear",
      ear_verifier_id: undefined,
      "ear.verifier-id": { developer: "Veraison", build: "1" },
      submods: {
        PSA: { "ear.status": "affirming", "ear.trustworthiness-vector": { hardware: 2 } },
      },
    },
  });
  assert.equal((await verifyEvidence(dotted, request)).verdict, "affirmed");
});

suite("a result with one fault is refused by the check of that fault", () => {
  for (const { name, fails, changes, request: change } of EAR_DEFECTS) {
    test(name, async () => {
      const appraisal = await verifyEvidence(tokenOf(changes), { ...request, ...change });
      const names = appraisal.checks.filter(({ outcome }) => outcome === "failed");
      assert.deepEqual(
        names.map((each) => each.name),
        fails,
      );
      assert.equal(appraisal.verdict, "refused");
    });
  }

  for (const alg of ["none", "HS256", "ES384", "RS256", "PS256", "constructor"]) {
    test(`algorithm ${alg}`, async () => {
      const appraisal = await verifyEvidence(tokenOf({ header: { alg } }), request);
      assert.equal(appraisal.verdict, "refused");
      assert.equal(appraisal.claims, undefined);
    });
  }
});

test("what cannot be checked is open: no key, no end, a status of none", async () => {
  for (const { name, changes, request: change } of EAR_OPEN) {
    const appraisal = await verifyEvidence(tokenOf(changes), { ...request, ...change });
    assert.equal(appraisal.verdict, "not-judged", name);
  }
  const waived = { ...request, waive: ["ear.expiry"] };
  const endless = await verifyEvidence(tokenOf({ payload: { exp: undefined } }), waived);
  assert.equal(endless.verdict, "affirmed");
});

test("a key by another name still counts, but not when the named one is there", async () => {
  const enrolled = (...keys: TrustedKey[]) => ({
    ...request,
    endorsements: { ...NO_ENDORSEMENTS, keys },
  });
  const own = enrolledKey(EAR_KEYS.publicKey, "v0");
  assert.equal((await verifyEvidence(tokenOf(), enrolled(own))).verdict, "affirmed");
  const both = enrolled(enrolledKey(strangers.publicKey, "v1"), own);
  const confused = await verifyEvidence(tokenOf(), both);
  assert.equal(confused.verdict, "refused");
});

test("no bytes make an error of another kind, and no change of one is affirmed", async () => {
  const right = tokenOf();
  await fc.assert(
    fc.asyncProperty(
      fc.nat(right.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (place, by) => {
        const changed = right.slice();
        changed[place] = (changed[place] ?? 0) ^ by;
        assert.notEqual((await verifyEvidence(changed, request)).verdict, "affirmed");
      },
    ),
    { numRuns: 200 },
  );
});
