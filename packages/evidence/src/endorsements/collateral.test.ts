// Which documents evidence needs, and which of those answered are kept: genuine ones as genuine, and each fault by itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex, toPem, webCrypto } from "@holdfast/core";
import {
  ENCRYPTED_PPID,
  newIntelEvidence,
  newIntelWorld,
  newList,
  newParty,
  newPck,
  pckExtension,
  platformName,
} from "@holdfast/testkit";
import {
  type CollateralNeed,
  collateralNeeds,
  type Endorsements,
  judgeCollateral,
  NO_ENDORSEMENTS,
  readEndorsements,
  verifyQuote,
} from "../index.ts";
import {
  vectorBytes,
  vectorEndorsements,
  vectorEntries,
  WITH_VECTORS,
} from "../testing/vectors.ts";

const NOBODY = { at: new Date("2026-06-01T00:00:00Z"), crypto: webCrypto };

function needsOf(file: string, ...beside: readonly string[]): readonly CollateralNeed[] {
  return collateralNeeds(vectorBytes(file), vectorEndorsements(...beside));
}

test("a quote needs the documents of its platform", WITH_VECTORS, () => {
  assert.deepEqual(needsOf("tdx/phala.quote.bin"), [
    { kind: "intel-tcb", tee: "tdx", fmspc: "b0c06f000000" },
    { kind: "intel-identity", tee: "tdx" },
    { kind: "intel-root-list" },
    { kind: "intel-pck-list", authority: "platform" },
  ]);
});

test("a report needs its chip's certificate, authorities and list", WITH_VECTORS, () => {
  const [chain, list, leaf] = needsOf("snp/genoa-v5-lunal.report.bin");
  assert.deepEqual(chain, { kind: "amd-chain", key: "vcek", product: "genoa" });
  assert.deepEqual(list, { kind: "amd-list", key: "vcek", product: "genoa" });
  assert.equal(leaf?.kind === "amd-vcek" && /^[0-9a-f]{128}$/.test(leaf.chipId), true);
});

test("a report of version 2 names its product by its certificate", WITH_VECTORS, () => {
  assert.deepEqual(needsOf("snp/milan-trustee.report.bin"), []);
  const needs = needsOf("snp/milan-trustee.report.bin", "snp/milan-trustee.vcek.der");
  assert.deepEqual(
    needs.map(({ kind }) => kind),
    ["amd-chain", "amd-list", "amd-vcek"],
  );
});

test("under a provider's key there is no certificate of the chip", WITH_VECTORS, () => {
  assert.deepEqual(needsOf("snp/milan-vlek-aws.report.bin"), [
    { kind: "amd-chain", key: "vlek", product: "milan" },
    { kind: "amd-list", key: "vlek", product: "milan" },
  ]);
});

test("evidence inside evidence needs the same", WITH_VECTORS, () => {
  for (const [file, kinds] of [
    ["azure/az-tdx-v1.json", 4],
    ["azure/az-snp-genoa-v0.json", 3],
    ["ra-tls/rats-rs-sgx.pem", 4],
    ["csr-enarx", 4],
    ["nitro/prod-2022.bin", 0],
  ] as const) {
    const path = file === "csr-enarx" ? "ra-tls/enarx-sgx-xeon.csr.der" : file;
    assert.equal(needsOf(path).length, kinds, file);
  }
});

test("what can't be read needs nothing", () => {
  for (const bytes of [new Uint8Array(), new Uint8Array(2000).fill(3)]) {
    assert.deepEqual(collateralNeeds(bytes, NO_ENDORSEMENTS), []);
  }
});

for (const entry of ["sgx-v3-phala", "tdx-v"].flatMap(vectorEntries)) {
  for (const { collateral, checkTime } of entry.evaluations ?? []) {
    test(`genuine collateral ${collateral} is kept for ${entry.id}`, WITH_VECTORS, async () => {
      const endorsements = vectorEndorsements(collateral);
      for (const need of needsOf(entry.files[0] ?? "")) {
        const at = new Date(checkTime);
        const window = await judgeCollateral(need, { at, crypto: webCrypto, endorsements });
        assert.ok(typeof window !== "string", `${need.kind}: ${window}`);
        assert.ok(window.notBefore <= at && at <= window.notAfter);
      }
    });
  }
}

test(
  "genuine certificates of chips and AMD's list are kept under the pinned roots",
  WITH_VECTORS,
  async () => {
    const [report, leaf] = ["snp/genoa-v5-lunal.report.bin", "snp/genoa-v5-lunal.vcek.der"];
    const [, , need] = needsOf(report);
    assert.ok(need !== undefined);
    const other = vectorEndorsements("snp/milan-trustee.vcek.der");
    const judge = async (endorsements: Endorsements) =>
      await judgeCollateral(need, { ...NOBODY, endorsements });
    assert.notEqual(typeof (await judge(vectorEndorsements(leaf))), "string");
    assert.match(String(await judge(other)), /no VCEK of chip/);
    const list = { kind: "amd-list", key: "vcek", product: "milan" } as const;
    const endorsements = vectorEndorsements("snp/ark-milan-2022.crl.der");
    const [of2022] = endorsements.revocationLists;
    assert.ok(of2022 !== undefined);
    const at = of2022.thisUpdate;
    const request = { crypto: webCrypto, endorsements };
    assert.notEqual(typeof (await judgeCollateral(list, { ...request, at })), "string");
    assert.match(
      String(await judgeCollateral({ ...list, product: "genoa" }, { ...request, at })),
      /no revocation list/,
    );
    const late = new Date(of2022.nextUpdate.getTime() + 1000);
    assert.match(String(await judgeCollateral(list, { ...request, at: late })), /expired/);
  },
);

const world = await newIntelWorld();
const { evidence: GOOD_QUOTE, request } = await newIntelEvidence(world);
const good: Endorsements = {
  ...request.endorsements,
  certificates: [...request.endorsements.certificates, world.platformCa.certificate],
};
const TCB = { kind: "intel-tcb", tee: "tdx", fmspc: "b0c06f000000" } as const;
const PCK_LIST = { kind: "intel-pck-list", authority: "platform" } as const;
const ROOT_LIST = { kind: "intel-root-list" } as const;

async function faultOf(
  need: CollateralNeed,
  change: Partial<Endorsements>,
  more: Partial<typeof request> = {},
): Promise<string> {
  const endorsements = { ...good, ...change };
  const judged = await judgeCollateral(need, { ...request, ...more, endorsements });
  return typeof judged === "string" ? judged : "";
}

test("each fault of a document by itself", async () => {
  const impostor = await newParty({
    name: { CN: "Intel SGX Root CA", O: "Test" },
    kind: "p256",
    isCa: true,
  });
  const foreign = await newIntelEvidence(world, {
    tcbSigner: async () =>
      await newParty({
        name: { CN: "Intel SGX TCB Signing", O: "Test" },
        kind: "p256",
        issuer: impostor,
      }),
  });
  assert.equal(await faultOf(TCB, {}), "");
  assert.match(await faultOf(TCB, { certificates: [] }), /no TCB signing certificate/);
  assert.match(await faultOf(TCB, foreign.request.endorsements), /tcb-info.signer/);
  assert.match(await faultOf({ ...TCB, tee: "sgx" }, {}), /tcb-info.supplied/);
  assert.match(await faultOf({ ...TCB, fmspc: "000000000000" }, {}), /tcb-info.supplied/);
  assert.match(await faultOf({ kind: "intel-identity", tee: "sgx" }, {}), /qe-identity.supplied/);
  assert.match(await faultOf(TCB, {}, { at: new Date("2026-06-20T00:00:00Z") }), /tcb-info.dates/);
  assert.match(await faultOf(TCB, {}, { anchors: [] }), /tcb-info.signer/);
});

const NAMED = await newIntelEvidence(world, { certificationType: 3 });
const PCK = collateralNeeds(NAMED.evidence, NO_ENDORSEMENTS)[0] ?? ROOT_LIST;

test("a quote that only names its platform needs its certificate, and then the documents of that", () => {
  const needs = collateralNeeds(NAMED.evidence, NO_ENDORSEMENTS);
  assert.deepEqual(needs, [
    {
      kind: "intel-pck",
      qeId: "00".repeat(16),
      encryptedPpid: toHex(ENCRYPTED_PPID),
      cpuSvn: "03030202040100050000000000000000",
      pceSvn: "0d00",
      pceId: "0000",
    },
  ]);
  const further = collateralNeeds(NAMED.evidence, NAMED.request.endorsements);
  assert.deepEqual(
    further.map(({ kind }) => kind),
    ["intel-tcb", "intel-identity", "intel-root-list", "intel-pck-list"],
  );
});

test("a PPID in the clear, or another form, is nobody's to ask for", async () => {
  for (const [type, name] of [
    [1, undefined],
    [3, new Uint8Array(20)],
    [2, platformName(3)],
  ] as const) {
    const { evidence } = await newIntelEvidence(world, {
      certificationType: type,
      ...(name === undefined ? {} : { platformName: name }),
    });
    assert.deepEqual(collateralNeeds(evidence, NO_ENDORSEMENTS), [], `type ${type}`);
  }
});

test("each fault of a platform's certificate by itself", async () => {
  const { certificates } = NAMED.request.endorsements;
  assert.equal(await faultOf(PCK, { certificates }), "");
  assert.match(await faultOf(PCK, { certificates: [] }), /no certificate of a platform/);
  const other = await newPck(world.platformCa, {
    extension: pckExtension({ pceId: Uint8Array.of(1, 0) }),
  });
  const chain = [world.platformCa.certificate, world.root.certificate];
  assert.match(
    await faultOf(PCK, { certificates: [other.certificate, ...chain] }),
    /another PCEID/,
  );
  const [pck] = certificates.filter(({ subject }) => subject.text.includes("PCK Certificate"));
  assert.ok(pck !== undefined);
  assert.match(await faultOf(PCK, { certificates: [pck] }), /path\.anchor/);
  assert.match(await faultOf(PCK, { certificates }, { anchors: [] }), /path\.anchor/);
  const late = { at: new Date("2061-06-01T00:00:00Z") };
  assert.match(await faultOf(PCK, { certificates }, late), /validity/);
  const plain = await newPck(world.root);
  assert.match(
    await faultOf(PCK, { certificates: [plain.certificate, world.root.certificate] }),
    /PCK Certificate/,
  );
});

test("the root's list is taken as Intel publishes it, as caches answer it, and as text", async () => {
  const { der } = world.rootList;
  for (const [form, bytes] of [
    ["DER", der],
    ["hexadecimal", new TextEncoder().encode(toHex(der))],
    ["PEM", new TextEncoder().encode(toPem("X509 CRL", der))],
    ["set", new TextEncoder().encode(JSON.stringify({ root_ca_crl: toHex(der) }))],
  ] as const) {
    const { revocationLists, ignored } = readEndorsements([{ name: form, bytes }]);
    assert.deepEqual(ignored, []);
    assert.equal(await faultOf(ROOT_LIST, { revocationLists }), "", form);
    const pckLists = { revocationLists: [...revocationLists, world.pckList] };
    const endorsements = { ...request.endorsements, ...pckLists };
    const { verdict } = await verifyQuote(GOOD_QUOTE, { ...request, endorsements });
    assert.equal(verdict, "affirmed", form);
  }
});

test("each fault of a list by itself", async () => {
  assert.equal(await faultOf(PCK_LIST, {}), "");
  assert.equal(await faultOf(ROOT_LIST, {}), "");
  assert.match(await faultOf({ ...PCK_LIST, authority: "processor" }, {}), /no certificate of who/);
  assert.match(
    await faultOf(PCK_LIST, { revocationLists: [world.rootList] }),
    /no revocation list/,
  );
  assert.match(await faultOf(ROOT_LIST, { revocationLists: [world.pckList] }), /no revocation/);
  const forged = await newList(world.platformCa, {}, world.tcbSigner.privateKey);
  assert.match(await faultOf(PCK_LIST, { revocationLists: [forged] }), /signature does not hold/);
  assert.match(await faultOf(PCK_LIST, {}, { anchors: [] }), /path\.anchor/);
  const plain = await newParty({
    name: { CN: "Intel SGX PCK Platform CA", O: "Test" },
    kind: "p256",
    issuer: world.root,
  });
  assert.match(
    await faultOf(PCK_LIST, {
      certificates: [plain.certificate],
      revocationLists: [await newList(plain)],
    }),
    /path\.ca/,
  );
  assert.match(await faultOf(PCK_LIST, {}, { at: new Date("2031-06-01T00:00:00Z") }), /validity/);
});
