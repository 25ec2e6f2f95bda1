// One quote for each defect, under a root of our own: the verifier refuses each and names that check, no other.
import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "@holdfast/core";
import {
  COMPONENTS,
  INTEL_DEFECTS,
  type IntelChanges,
  newIntelEvidence,
  newIntelWorld,
  newPck,
  PPID,
  pckExtension,
} from "@holdfast/testkit";
import fc from "fast-check";
import { EvidenceError, parseQuote, verdictOf, verifyQuote } from "../index.ts";

const world = await newIntelWorld();
const svn = (...first: number[]) =>
  Uint8Array.from({ length: 16 }, (_, index) => first[index] ?? 0);

for (const kind of ["sgx3", "tdx4", "tdx5"] as const) {
  test(`what is in order is affirmed, with every check passed: ${kind}`, async () => {
    const { evidence, request } = await newIntelEvidence(world, { kind });
    const appraisal = await verifyQuote(evidence, request);
    assert.deepEqual(
      appraisal.checks.filter(({ outcome }) => outcome !== "passed"),
      [],
    );
    assert.equal(appraisal.verdict, "affirmed");
    assert.equal(appraisal.platform, `simulated-${kind.slice(0, 3)}`);
    assert.equal(appraisal.tcbStatus, "UpToDate");
    assert.deepEqual(appraisal.validUntil, new Date("2026-06-19T00:00:00Z"));
  });
}

const alone = new Set<string>();
for (const { name, fails, changes, request: change } of INTEL_DEFECTS) {
  test(`refused: ${name}`, async () => {
    const { evidence, request } = await newIntelEvidence(world, changes);
    const { checks, verdict, waived } = await verifyQuote(evidence, { ...request, ...change });
    const failed = checks.filter(({ outcome }) => outcome === "failed");
    assert.deepEqual(
      failed.map((check) => check.name),
      fails,
      failed.map(({ detail }) => detail).join("; "),
    );
    assert.equal(verdict, "refused");
    const [only] = failed;
    const without = checks.filter((check) => check !== only);
    if (failed.length === 1 && only && verdictOf(without, waived) !== "refused")
      alone.add(only.name);
  });
}

test("each check alone stands between some defect and its verdict", () => {
  const expected = new Set(INTEL_DEFECTS.flatMap(({ fails }) => (fails.length === 1 ? fails : [])));
  assert.deepEqual([...alone].toSorted(), [...expected].toSorted());
});

async function statusOf(changes: IntelChanges): Promise<[string | undefined, readonly string[]]> {
  const { evidence, request } = await newIntelEvidence(world, changes);
  const { tcbStatus, advisoryIds } = await verifyQuote(evidence, request);
  return [tcbStatus, advisoryIds];
}

test("module and quoting enclave converge into the status of the platform", async () => {
  const level = (tcbStatus: string): NonNullable<IntelChanges["tcbInfo"]> => {
    return ({ tcbLevels: [first] }) => void Object.assign(first ?? {}, { tcbStatus });
  };
  const old = ["INTEL-SA-00002"];
  const module = { fields: { teeTcbSvn: svn(3, 1, 3) } };
  assert.deepEqual(await statusOf(module), ["OutOfDate", old]);
  assert.deepEqual(await statusOf({ ...module, tcbInfo: level("SWHardeningNeeded") }), [
    "OutOfDate",
    old,
  ]);
  assert.deepEqual(await statusOf({ ...module, tcbInfo: level("ConfigurationNeeded") }), [
    "OutOfDateConfigurationNeeded",
    old,
  ]);
  assert.deepEqual(
    await statusOf({ ...module, tcbInfo: level("ConfigurationAndSWHardeningNeeded") }),
    ["OutOfDateConfigurationNeeded", old],
  );
  assert.deepEqual(await statusOf({ fields: { teeTcbSvn: svn(1, 1, 3) } }), ["Revoked", []]);
  assert.deepEqual(await statusOf({ fields: { qeIsvSvn: 5 } }), ["OutOfDate", ["INTEL-SA-00003"]]);
  assert.deepEqual(await statusOf({ tcbInfo: level("SWHardeningNeeded") }), [
    "SWHardeningNeeded",
    [],
  ]);
  assert.deepEqual(await statusOf({ fields: { qeIsvSvn: 5, teeTcbSvn: svn(3, 1, 3) } }), [
    "OutOfDate",
    ["INTEL-SA-00002", "INTEL-SA-00003"],
  ]);
});

test("components 0 and 1 belong to the module as soon as it has a version", async () => {
  assert.deepEqual(await statusOf({ fields: { teeTcbSvn: svn(6, 1, 3) } }), ["UpToDate", []]);
  assert.deepEqual(await statusOf({ fields: { teeTcbSvn: svn(5, 0, 3) } }), [
    "OutOfDate",
    ["INTEL-SA-00001"],
  ]);
});

test("an older platform reaches an older level", async () => {
  const components = COMPONENTS.map((each) => Math.max(0, each - 1));
  const older: NonNullable<IntelChanges["pck"]> = ({ platformCa }) =>
    newPck(platformCa, { extension: pckExtension({ components }) });
  assert.deepEqual(await statusOf({ pck: older }), ["OutOfDate", ["INTEL-SA-00001"]]);
});

test("a TD started under an old module that was updated since need only be started anew", async () => {
  const stale = { teeTcbSvn: svn(3, 1, 3) };
  const kind = "tdx5";
  assert.equal((await statusOf({ kind, fields: stale }))[0], "TDRelaunchAdvised");
  const configuration: NonNullable<IntelChanges["tcbInfo"]> = ({ tcbLevels: [first] }) =>
    void Object.assign(first ?? {}, { tcbStatus: "ConfigurationNeeded" });
  assert.equal(
    (await statusOf({ kind, fields: stale, tcbInfo: configuration }))[0],
    "TDRelaunchAdvisedConfigurationNeeded",
  );
  const still = { ...stale, teeTcbSvn2: svn(5, 1, 3) };
  assert.equal((await statusOf({ kind, fields: still }))[0], "OutOfDate");
  const component = { ...stale, teeTcbSvn2: svn(6, 1, 2) };
  assert.equal((await statusOf({ kind, fields: component }))[0], "OutOfDate");
  assert.equal((await statusOf({ kind, fields: { ...stale, qeIsvSvn: 5 } }))[0], "OutOfDate");
});

test("what a relying party accepts is affirmed: status, days of grace, platform, service TD", async () => {
  const { evidence, request } = await newIntelEvidence(world, {
    kind: "tdx5",
    fields: { qeIsvSvn: 5, mrServiceTd: new Uint8Array(48).fill(1) },
  });
  const intel = {
    graceDays: 365,
    platformIds: [toHex(PPID)],
    serviceTds: ["01".repeat(48)],
    allowedAdvisories: ["INTEL-SA-00003"],
    minimumTcbDate: new Date("2025-01-01T00:00:00Z"),
    minimumEvaluationDataNumber: 18,
  };
  assert.equal((await verifyQuote(evidence, { ...request, intel })).verdict, "affirmed");
});

test("what is missing is not judged: collateral, lists, a certificate, an open question", async () => {
  const open: readonly (readonly [string, IntelChanges])[] = [
    ["no TCB information", { withoutTcbInfo: true }],
    ["no identity", { withoutIdentity: true }],
    ["no list of the root", { lists: async ({ pckList }) => [pckList] }],
    ["no list of the authority", { lists: async ({ rootList }) => [rootList] }],
    ["no SEPT_VE_DISABLE", { fields: { attributes: new Uint8Array(8) } }],
  ];
  for (const [name, changes] of open) {
    const { evidence, request } = await newIntelEvidence(world, changes);
    assert.equal((await verifyQuote(evidence, request)).verdict, "not-judged", name);
  }
  for (const certificationType of [2, 3]) {
    const named = await newIntelEvidence(world, { certificationType });
    assert.equal((await verifyQuote(named.evidence, named.request)).verdict, "affirmed");
  }
  const bare = await newIntelEvidence(world, { certificationType: 1 });
  assert.equal((await verifyQuote(bare.evidence, bare.request)).verdict, "affirmed");
  const certificates = [world.tcbSigner.certificate];
  const endorsements = { ...bare.request.endorsements, certificates };
  const appraisal = await verifyQuote(bare.evidence, { ...bare.request, endorsements });
  assert.equal(appraisal.verdict, "not-judged");
  assert.equal(appraisal.claims, undefined);
});

test("padding with zeros is no part of the quote", async () => {
  const { evidence, request } = await newIntelEvidence(world, {
    afterSigning: (quote) => Uint8Array.of(...quote, ...new Uint8Array(70)),
  });
  assert.equal((await verifyQuote(evidence, request)).verdict, "affirmed");
});

test("mutated quotes are never affirmed, and read with no error but our own", async () => {
  const { evidence, request } = await newIntelEvidence(world);
  const signed = 632 + 4 + 64 + 64 + 6 + 384 + 64;
  await fc.assert(
    fc.asyncProperty(fc.nat(signed - 1), fc.integer({ min: 1, max: 255 }), async (at, bits) => {
      // Bytes 8 to 11 of the header are reserved, signed, and mean nothing.
      const mutated = evidence.slice();
      mutated[at] = (mutated[at] ?? 0) ^ bits;
      assert.equal((await verifyQuote(mutated, request)).verdict, "refused");
    }),
    { numRuns: 150 },
  );
  const anywhere = fc.array(fc.tuple(fc.nat(evidence.length - 1), fc.nat(255)), { maxLength: 5 });
  fc.assert(
    fc.property(anywhere, fc.nat(evidence.length), (changes, length) => {
      const mutated = evidence.slice(0, length);
      for (const [at, value] of changes) if (at < length) mutated[at] = value;
      try {
        parseQuote(mutated);
      } catch (thrown) {
        assert.ok(thrown instanceof EvidenceError, String(thrown));
      }
    }),
    { numRuns: 500 },
  );
});
