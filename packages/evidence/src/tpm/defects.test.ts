// One quote for each defect, by a TPM of our own: the verifier refuses each and names that check, no other.
import assert from "node:assert/strict";
import { test } from "node:test";
import { newTpmEvidence, TPM_DEFECTS } from "@holdfast/testkit";
import fc from "fast-check";
import {
  EvidenceError,
  NO_ENDORSEMENTS,
  parsePublicArea,
  parseTpmQuote,
  parseTpmSignature,
  verdictOf,
  verifyTpm,
} from "../index.ts";

for (const kind of ["ecc", "rsassa", "rsapss"] as const) {
  test(`what is in order is affirmed, with every check passed: ${kind}`, async () => {
    const { evidence, request, akName } = await newTpmEvidence({ kind });
    const appraisal = await verifyTpm(evidence, request);
    assert.deepEqual(
      appraisal.checks.filter(({ outcome }) => outcome !== "passed"),
      [],
    );
    assert.equal(appraisal.verdict, "affirmed");
    assert.equal(appraisal.claims?.akName, akName);
    assert.deepEqual(Object.keys(appraisal.claims?.pcrs ?? {}), ["7", "16"]);
  });
}

test("RSAPSS: a salt as long as the hash or as long as fits, no other", async () => {
  for (const [salt, verdict] of [
    [32, "affirmed"],
    [256 - 32 - 2, "affirmed"],
    [0, "refused"],
    [33, "refused"],
  ] as const) {
    const { evidence, request } = await newTpmEvidence({ kind: "rsapss", salt });
    assert.equal((await verifyTpm(evidence, request)).verdict, verdict, `salt of ${salt} bytes`);
  }
});

const alone = new Set<string>();
for (const { name, fails, changes, request: change } of TPM_DEFECTS) {
  test(`refused: ${name}`, async () => {
    const { evidence, request } = await newTpmEvidence(changes);
    const { checks, verdict, waived } = await verifyTpm(evidence, { ...request, ...change });
    const failed = checks.filter(({ outcome }) => outcome === "failed");
    assert.deepEqual(
      failed.map((check) => check.name),
      fails,
      failed.map(({ detail }) => detail).join("; "),
    );
    assert.equal(verdict, "refused");
    const [only] = failed;
    const without = checks.filter((check) => check !== only);
    if (only && verdictOf(without, waived) !== "refused") alone.add(only.name);
  });
}

test("each check alone stands between some defect and its verdict", () => {
  const expected = new Set(TPM_DEFECTS.flatMap(({ fails }) => fails));
  assert.deepEqual([...alone].toSorted(), [...expected].toSorted());
});

test("a key that came with the evidence is not trusted for that", async () => {
  const { evidence, request } = await newTpmEvidence();
  const unknown = await verifyTpm(evidence, { ...request, tpm: {} });
  assert.equal(unknown.verdict, "not-judged");
  assert.equal(unknown.claims, undefined);
});

test("an enrolled key stands for what was judged when it was enrolled", async () => {
  const { evidence, request } = await newTpmEvidence({ bare: true });
  assert.equal((await verifyTpm(evidence, request)).verdict, "affirmed");
  const nobody = await verifyTpm(evidence, { ...request, endorsements: NO_ENDORSEMENTS });
  assert.equal(nobody.verdict, "not-judged");
  const other = await newTpmEvidence({ bare: true });
  const strange = await verifyTpm(evidence, {
    ...request,
    endorsements: other.request.endorsements,
  });
  assert.equal(strange.verdict, "refused");
});

test("values that were not quoted are no claims, and neither are those of the SHA-1 bank", async () => {
  const { evidence, request } = await newTpmEvidence({
    banks: [
      { algorithm: 0x04, name: "sha1", indices: [7] },
      { algorithm: 0x0b, name: "sha256", indices: [7] },
      { algorithm: 0x0c, name: "sha384", indices: [16] },
    ],
    values: (values) => void values.set(9, new Uint8Array(values.get(7)?.length ?? 48).fill(9)),
  });
  const appraisal = await verifyTpm(evidence, request);
  assert.equal(appraisal.verdict, "affirmed");
  assert.deepEqual(Object.keys(appraisal.claims?.pcrBanks ?? {}), ["sha256", "sha384"]);
  assert.deepEqual(Object.keys(appraisal.claims?.pcrs ?? {}), ["7"]);
});

test("random structures are read with no error but our own", () => {
  const start = fc.constantFrom(
    [],
    [0xff, 0x54, 0x43, 0x47, 0x80, 0x18],
    [0, 0x23, 0, 0x0b],
    [0, 0x18, 0, 0x0b],
    [0, 1, 0, 0x0b],
  );
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 200 }), (head, rest) => {
      for (const read of [parseTpmQuote, parseTpmSignature, parsePublicArea]) {
        try {
          read(Uint8Array.of(...head, ...rest));
        } catch (thrown) {
          const { code } = thrown as { code?: string };
          const ours =
            thrown instanceof EvidenceError || /^(CERTIFICATE|ENCODING)_/.test(code ?? "");
          assert.ok(ours, String(thrown));
        }
      }
    }),
    { numRuns: 1000 },
  );
});
