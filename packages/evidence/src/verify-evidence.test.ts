// One entry for every kind of evidence: recognised by content, in whatever form it comes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { concat, toBase64, toHex, webCrypto } from "@holdfast/core";
import {
  newIntelEvidence,
  newIntelWorld,
  newNitroDocument,
  newNitroWorld,
  newSnpEvidence,
  newSnpWorld,
} from "@holdfast/testkit";
import fc from "fast-check";
import {
  collateralNeeds,
  describeEvidence,
  EvidenceError,
  NO_ENDORSEMENTS,
  readEndorsements,
  recogniseEvidence,
  verifyEvidence,
} from "./index.ts";
import { guidBytes } from "./launch/guid.ts";
import { vectorBytes, vectorEndorsements, vectorEntries, WITH_VECTORS } from "./testing/vectors.ts";

const text = (value: string) => new TextEncoder().encode(value);

test("evidence of each kind is affirmed through the one entry, in binary, hexadecimal and base64", async () => {
  const snp = await newSnpEvidence(await newSnpWorld());
  const tdx = await newIntelEvidence(await newIntelWorld(), { kind: "tdx5" });
  const sgx = await newIntelEvidence(await newIntelWorld(), { kind: "sgx3" });
  const nitroWorld = await newNitroWorld();
  const nitro = {
    evidence: await newNitroDocument(nitroWorld),
    request: {
      at: nitroWorld.at,
      crypto: webCrypto,
      endorsements: NO_ENDORSEMENTS,
      anchors: [nitroWorld.root],
      nonce: nitroWorld.nonce,
      reportData: nitroWorld.userData,
      expect: new Map([["nonZeroPcrs.0", [toHex(nitroWorld.image)]]]),
    },
  };
  const all = { "sev-snp": snp, tdx, sgx, nitro } as const;
  for (const [type, { evidence, request }] of Object.entries(all)) {
    const forms = [evidence, text(`${toHex(evidence)}\n`), text(toBase64(evidence))];
    for (const form of forms) {
      assert.equal(recogniseEvidence(form).type, type);
      const appraisal = await verifyEvidence(form, request);
      assert.equal(appraisal.verdict, "affirmed", type);
      assert.equal(appraisal.type, type);
    }
    const other = type === "nitro" ? "sev-snp" : "nitro";
    const mistaken = await verifyEvidence(evidence, { ...request, type: other });
    assert.equal(mistaken.verdict, "refused");
    const unexpected = await verifyEvidence(evidence, {
      ...request,
      expect: new Map([["measurement", ["00"]]]),
    });
    assert.equal(unexpected.verdict, "refused");
  }
});

test("the form of Confidential Containers is the same report", WITH_VECTORS, async () => {
  const [entry] = vectorEntries("snp-genoa-v3-coco-e2e");
  const appraisal = await verifyEvidence(vectorBytes("snp/genoa-v3-coco-e2e.evidence.json"), {
    at: new Date("2026-01-01T00:00:00Z"),
    crypto: webCrypto,
    endorsements: NO_ENDORSEMENTS,
    waive: ["snp.revocation"],
  });
  assert.equal(appraisal.verdict, "affirmed");
  for (const [name, value] of Object.entries(entry?.claims ?? {})) {
    assert.deepEqual(
      (appraisal.claims as Record<string, unknown> | undefined)?.[name],
      value,
      name,
    );
  }
});

const KINDS: Readonly<Record<string, string>> = {
  "sgx-v3-": "sgx",
  "tdx-v": "tdx",
  "snp-milan": "sev-snp",
  "snp-genoa": "sev-snp",
  "az-snp": "azure",
  "az-tdx": "azure",
  "tpm-trustee": "tpm",
  "nitro-": "nitro",
  "psa-": "psa",
  "cca-": "cca",
  "ccel-": "event-log",
  "nvidia-": "nvidia-gpu",
  "ratls-": "ra-tls",
  "csr-enarx-": "enarx-csr",
};

test("every sample is recognised by its content", WITH_VECTORS, () => {
  for (const [prefix, type] of Object.entries(KINDS)) {
    for (const { id, files } of vectorEntries(prefix)) {
      assert.equal(recogniseEvidence(vectorBytes(files[0] ?? "")).type, type, id);
    }
  }
});

test(
  "endorsements may come in any number and order, with others among them",
  WITH_VECTORS,
  async () => {
    const collateral = vectorEntries("collateral-sources").flatMap(({ files }) => files);
    const endorsements = vectorEndorsements(
      ...collateral,
      "roots/aws-nitro-root.pem",
      "index.json",
    );
    const appraisal = await verifyEvidence(vectorBytes("tdx/go-v5.quote.bin"), {
      at: new Date("2026-03-16T23:34:05Z"),
      crypto: webCrypto,
      endorsements,
    });
    assert.equal(appraisal.verdict, "affirmed");
    assert.equal(appraisal.tcbStatus, "UpToDate");
    assert.deepEqual(
      endorsements.ignored.map(({ name }) => name),
      ["index.json"],
    );
  },
);

test("what is no evidence is refused, and no bytes make an error of another kind", async () => {
  const request = { at: new Date(), crypto: webCrypto, endorsements: NO_ENDORSEMENTS };
  const start = fc.constantFrom(
    [],
    [0x84, 0x44, 0xa1, 0x01, 0x38, 0x22],
    [3, 0, 2, 0, 0, 0, 0, 0],
    [4, 0, 2, 0, 0x81, 0, 0, 0],
    [0xff, 0x54, 0x43, 0x47, 0x80, 0x18],
    [...text('{"ak_public":"AAAA","message":"AAAA",')],
    [...text('{"hcl_report":"AAAA","tpm_quote":{}}')],
    [...text('{"attestation_report":{"version":3}}')],
  );
  await fc.assert(
    fc.asyncProperty(start, fc.uint8Array({ maxLength: 1200 }), async (head, rest) => {
      const bytes = Uint8Array.of(...head, ...rest);
      assert.equal((await verifyEvidence(bytes, request)).verdict, "refused");
      try {
        recogniseEvidence(bytes);
      } catch (thrown) {
        assert.ok(thrown instanceof EvidenceError, String(thrown));
      }
      readEndorsements([{ name: "any", bytes }]);
    }),
    { numRuns: 300 },
  );
});

/** A table of certificates, as a host writes it behind a report. */
function certificateTable(certificates: readonly (readonly [guid: string, der: Uint8Array])[]) {
  const entries = certificates.length + 1;
  let offset = entries * 24;
  const heads = certificates.map(([guid, der]) => {
    const head = new Uint8Array(24);
    head.set(guidBytes(guid));
    const view = new DataView(head.buffer);
    view.setUint32(16, offset, true);
    view.setUint32(20, der.length, true);
    offset += der.length;
    return head;
  });
  return concat(...heads, new Uint8Array(24), ...certificates.map(([, der]) => der));
}

const VCEK = "63da758d-e664-4564-adc5-f4b93be8accd";
const ASK = "4ab7b379-bbac-4fe4-a02f-05aef327c782";
const HOSTS_OWN = "11111111-2222-3333-4444-555555555555";

test("a report brings its certificates behind it, or in JSON beside it", async () => {
  const world = await newSnpWorld();
  const { evidence, request, leaf } = await newSnpEvidence(world);
  const [vcek, ask] = [leaf.certificate.der, world.ask.certificate.der];
  const table = certificateTable([
    [HOSTS_OWN, Uint8Array.of(1, 2, 3)],
    [VCEK, vcek],
    [ASK, ask],
  ]);
  const json = {
    platform: "snp",
    evidence: {
      attestation_report: toBase64(evidence),
      cert_chain: { vcek: toBase64(vcek), ask: toBase64(ask), ark: null },
    },
  };
  const bare = { ...request, endorsements: { ...request.endorsements, certificates: [] } };
  assert.equal((await verifyEvidence(evidence, bare)).verdict, "not-judged");
  for (const form of [concat(evidence, table), text(JSON.stringify(json))]) {
    assert.equal(recogniseEvidence(form).type, "sev-snp");
    const { verdict, checks } = await verifyEvidence(form, bare);
    assert.equal(verdict, "affirmed", JSON.stringify(checks));
    assert.equal(collateralNeeds(form, bare.endorsements).length, 3);
    const { certificates } = await describeEvidence(form, { crypto: webCrypto });
    assert.equal(certificates.length, 2);
  }
  for (const [what, broken] of [
    ["a table that points past its end", concat(evidence, table.subarray(0, -1))],
    ["a certificate that is none", concat(evidence, certificateTable([[VCEK, vcek.subarray(1)]]))],
  ] as const) {
    assert.equal((await verifyEvidence(broken, bare)).verdict, "refused", what);
  }
  // Anything else behind a report makes it no report.
  assert.throws(() => recogniseEvidence(concat(evidence, new Uint8Array(100).fill(1))));
});
