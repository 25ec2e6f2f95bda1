// One report for each defect, under a root of our own: the verifier refuses each and names that check, no other.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  LEAF_TCB,
  newList,
  newSnpEvidence,
  newSnpWorld,
  newVcek,
  SNP_DEFECTS,
  SNP_FIELDS,
} from "@holdfast/testkit";
import fc from "fast-check";
import { EvidenceError, parseSnpReport, verdictOf, verifySnp } from "../index.ts";

const world = await newSnpWorld();

test("what is in order is affirmed, with every check passed", async () => {
  const { evidence, request } = await newSnpEvidence(world);
  const appraisal = await verifySnp(evidence, request);
  assert.deepEqual(
    appraisal.checks.filter(({ outcome }) => outcome !== "passed"),
    [],
  );
  assert.equal(appraisal.verdict, "affirmed");
  assert.equal(appraisal.platform, "simulated-sev-snp");
  assert.equal(appraisal.trustVector.hardware, 32);
});

const alone = new Map<string, string>();
for (const { name, fails, changes, request: change } of SNP_DEFECTS) {
  test(`refused: ${name}`, async () => {
    const { evidence, request } = await newSnpEvidence(world, changes);
    const { checks, verdict, waived } = await verifySnp(evidence, { ...request, ...change });
    const failed = checks.filter(({ outcome }) => outcome === "failed");
    assert.deepEqual(
      failed.map((check) => check.name),
      fails,
      failed.map(({ detail }) => detail).join("; "),
    );
    assert.equal(verdict, "refused");
    const [only] = failed;
    const without = checks.filter((check) => check !== only);
    if (failed.length === 1 && only !== undefined && verdictOf(without, waived) !== "refused") {
      alone.set(only.name, name);
    }
  });
}

test("each check alone stands between some defect and its verdict", () => {
  const expected = new Set(SNP_DEFECTS.flatMap(({ fails }) => fails));
  assert.deepEqual([...alone.keys()].toSorted(), [...expected].toSorted());
});

test("what is missing is not judged: no leaf, no list, a level left open", async () => {
  const { evidence, request } = await newSnpEvidence(world);
  const bare = { ...request.endorsements, certificates: [] };
  const unsigned = await verifySnp(evidence, { ...request, endorsements: bare });
  assert.equal(unsigned.verdict, "not-judged");
  assert.equal(unsigned.claims, undefined);
  const listless = await newSnpEvidence(world, { list: async () => undefined });
  assert.equal((await verifySnp(listless.evidence, listless.request)).verdict, "not-judged");
  const dates = { nextUpdate: new Date("2026-05-31T00:00:00Z") };
  const old = await newSnpEvidence(world, { list: ({ ark }) => newList(ark, dates) });
  assert.equal((await verifySnp(old.evidence, old.request)).verdict, "not-judged");
  const early = { thisUpdate: new Date("2026-06-02T00:00:00Z") };
  const next = await newSnpEvidence(world, { list: ({ ark }) => newList(ark, early) });
  assert.equal((await verifySnp(next.evidence, next.request)).verdict, "not-judged");
  const waived = { ...listless.request, waive: ["snp.revocation"] };
  assert.equal((await verifySnp(listless.evidence, waived)).verdict, "affirmed");
  const low = await newSnpEvidence(world, { fields: { vmpl: 1 } });
  assert.equal((await verifySnp(low.evidence, low.request)).verdict, "not-judged");
  const told = { ...low.request, snp: { vmpl: [0, 1] } };
  assert.equal((await verifySnp(low.evidence, told)).verdict, "affirmed");
});

test("waiving a check does not save evidence that fails it", async () => {
  const { evidence, request } = await newSnpEvidence(world, { fields: { policy: 0xb0000n } });
  const appraisal = await verifySnp(evidence, { ...request, waive: ["snp.debug"] });
  assert.equal(appraisal.verdict, "refused");
});

test("a root among the endorsements is not trusted", async () => {
  const { evidence, request } = await newSnpEvidence(world);
  const certificates = [...request.endorsements.certificates, world.ark.certificate];
  const appraisal = await verifySnp(evidence, {
    ...request,
    anchors: [],
    endorsements: { ...request.endorsements, certificates },
  });
  assert.equal(appraisal.verdict, "refused");
  assert.equal(appraisal.claims, undefined);
});

test("reports of versions 2, 4 and 5, VLEK, and demands that are met", async () => {
  for (const version of [2, 4, 5]) {
    const { evidence, request } = await newSnpEvidence(world, { fields: { version } });
    const snp = version === 5 ? { mitigations: 3n } : {};
    const appraisal = await verifySnp(evidence, { ...request, snp });
    assert.equal(appraisal.verdict, "affirmed", `version ${version}`);
  }
  const vlek = await newSnpEvidence(world, {
    fields: { keyInfo: 4, chipId: new Uint8Array(64) },
    leaf: ({ asvk }, keys) => newVcek(asvk, keys, { name: "SEV-VLEK", cspId: "provider" }),
  });
  const provider = { ...vlek.request, snp: { cspIds: ["provider"], minimumTcb: { snp: 24 } } };
  const appraisal = await verifySnp(vlek.evidence, provider);
  assert.equal(appraisal.verdict, "affirmed");
  assert.equal(appraisal.claims?.cspId, "provider");
  const listed = { ...vlek.request, snp: { chipIds: ["00".repeat(64)] } };
  assert.equal((await verifySnp(vlek.evidence, listed)).verdict, "refused");
});

test("Turin lays out its TCB and its chip id otherwise", async () => {
  const turin = await newSnpWorld("Turin");
  const chipId = new Uint8Array(64);
  chipId.set([1, 2, 3, 4, 5, 6, 7, 8]);
  const tcb = Uint8Array.of(2, 4, 1, 24, 0, 0, 0, 219);
  const versions = { currentTcb: tcb, reportedTcb: tcb, committedTcb: tcb, launchTcb: tcb };
  const { evidence, request } = await newSnpEvidence(turin, {
    fields: { ...versions, chipId, cpuid: [0x1a, 0x02, 0x01] },
    leaf: ({ ask }, keys) =>
      newVcek(ask, keys, {
        tcb: { ...LEAF_TCB, fmc: 2 },
        productName: "Turin",
        hardwareId: chipId.subarray(0, 8),
      }),
  });
  const appraisal = await verifySnp(evidence, request);
  assert.equal(appraisal.verdict, "affirmed");
  assert.deepEqual(appraisal.claims?.reportedTcb, { ...LEAF_TCB, fmc: 2 });
});

test("mutated reports are refused, and read with no error but our own", async () => {
  const { evidence, request } = await newSnpEvidence(world);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(evidence.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, bits) => {
        const mutated = evidence.slice();
        mutated[at] = (mutated[at] ?? 0) ^ bits;
        assert.equal((await verifySnp(mutated, request)).verdict, "refused");
      },
    ),
    { numRuns: 200 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1180, maxLength: 1190 }), (bytes) => {
      try {
        parseSnpReport(bytes);
      } catch (thrown) {
        assert.ok(thrown instanceof EvidenceError, String(thrown));
      }
    }),
    { numRuns: 500 },
  );
  assert.equal(SNP_FIELDS.version, 3);
});
