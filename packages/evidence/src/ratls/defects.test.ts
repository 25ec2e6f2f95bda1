// Certificates and requests with one thing wrong each, under a root of our own: refused, and by that check.
import assert from "node:assert/strict";
import { createHash, sign } from "node:crypto";
import { test } from "node:test";
import { concat, createCertificationRequest, derWrite, encodeName } from "@holdfast/core";
import { newIntelEvidence, newIntelWorld, newKeys, newParty } from "@holdfast/testkit";
import {
  type Appraisal,
  cborWrite as cbor,
  ENARX_SGX,
  type IntelRequest,
  TAGGED_EVIDENCE,
  verifyEnarxRequest,
  verifyRaTls,
} from "../index.ts";

const world = await newIntelWorld();
const NONCE = new Uint8Array(32).fill(3);
const sha = (name: string, bytes: Uint8Array) =>
  new Uint8Array(createHash(name).update(bytes).digest());
const padded = (hash: Uint8Array) => concat(hash, new Uint8Array(64 - hash.length));

function failures({ checks }: Appraisal): string[] {
  return checks.filter(({ outcome }) => outcome === "failed").map(({ name }) => name);
}

interface Changes {
  readonly hash?: readonly [number, string];
  readonly hashed?: Uint8Array;
  readonly nonce?: Uint8Array;
  readonly tag?: number;
  readonly reportData?: Uint8Array;
  readonly attributes?: Uint8Array;
  readonly extension?: string;
  readonly issuer?: Awaited<ReturnType<typeof newParty>>;
  readonly notAfter?: Date;
}

async function certificate(
  changes: Changes = {},
): Promise<{ der: Uint8Array; request: IntelRequest }> {
  const keys = newKeys("p256");
  const spki = new Uint8Array(keys.publicKey.export({ type: "spki", format: "der" }));
  const [number, name] = changes.hash ?? [1, "sha256"];
  const hash = cbor.array(cbor.integer(number), cbor.bytes(sha(name, changes.hashed ?? spki)));
  const buffer = cbor.map(
    [cbor.text("pubkey-hash"), cbor.bytes(hash)],
    [cbor.text("nonce"), cbor.bytes(changes.nonce ?? NONCE)],
  );
  const { evidence, request } = await newIntelEvidence(world, {
    kind: "sgx3",
    fields: {
      reportData: changes.reportData ?? padded(sha("sha256", buffer)),
      ...(changes.attributes === undefined ? {} : { attributes: changes.attributes }),
    },
  });
  const tagged = cbor.tag(
    changes.tag ?? 60_000,
    cbor.array(cbor.bytes(evidence), cbor.bytes(buffer)),
  );
  const party = await newParty({
    name: { CN: "enclave" },
    kind: "p256",
    keys,
    ...(changes.issuer === undefined ? {} : { issuer: changes.issuer }),
    change: {
      extensions: [{ oid: changes.extension ?? TAGGED_EVIDENCE, value: tagged }],
      ...(changes.notAfter === undefined ? {} : { notAfter: changes.notAfter }),
    },
  });
  const { reportData: _, ...rest } = request;
  return { der: party.certificate.der, request: { ...rest, nonce: NONCE } };
}

test("a certificate that is in order is affirmed", async () => {
  for (const hash of [
    [1, "sha256"],
    [7, "sha384"],
    [8, "sha512"],
  ] as const) {
    const { der, request } = await certificate({ hash });
    const appraisal = await verifyRaTls(der, request);
    assert.deepEqual(failures(appraisal), []);
    assert.equal(appraisal.verdict, "affirmed");
    assert.equal(appraisal.platform, "simulated-sgx");
  }
});

const DEFECTS: readonly (readonly [string, readonly string[], Changes, Partial<IntelRequest>?])[] =
  [
    ["no evidence", ["ra-tls.format"], { extension: "2.25.1" }],
    ["another kind of evidence", ["ra-tls.format"], { tag: 60_001 }],
    ["a hash nobody should use", ["ra-tls.format"], { hash: [3, "sha1"] }],
    ["another key", ["ra-tls.key"], { hashed: new Uint8Array(91) }],
    ["evidence over something else", ["ra-tls.evidence"], { reportData: new Uint8Array(64) }],
    ["expired", ["ra-tls.validity"], { notAfter: new Date("2026-05-31T00:00:00Z") }],
    ["issued by somebody", ["ra-tls.signature"], { issuer: world.root }],
    ["another nonce", ["ra-tls.nonce"], { nonce: new Uint8Array(32) }],
    ["debug enclave", ["quote.debug"], { attributes: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0) }],
    ["another enclave", ["expect.mrEnclave"], {}, { expect: new Map([["mrEnclave", ["00"]]]) }],
  ];

for (const [name, fails, changes, change] of DEFECTS) {
  test(`RA-TLS refused: ${name}`, async () => {
    const { der, request } = await certificate(changes);
    const appraisal = await verifyRaTls(der, { ...request, ...change });
    assert.deepEqual(failures(appraisal), fails);
    assert.equal(appraisal.verdict, "refused");
  });
}

async function csr(changes: { reportData?: Uint8Array; stranger?: boolean; oid?: string } = {}) {
  const keys = newKeys("p256");
  const spki = new Uint8Array(keys.publicKey.export({ type: "spki", format: "der" }));
  const { evidence, request } = await newIntelEvidence(world, {
    kind: "sgx3",
    fields: { reportData: changes.reportData ?? padded(sha("sha256", spki)) },
  });
  const { sequence, octetString } = derWrite;
  const signer = changes.stranger ? newKeys("p256").privateKey : keys.privateKey;
  const der = await createCertificationRequest(
    {
      subject: encodeName({ CN: "keep" }),
      spki,
      extensions: [{ oid: changes.oid ?? ENARX_SGX, value: sequence(octetString(evidence)) }],
      algorithm: "ecdsa-sha256",
    },
    (tbs) => sign("sha256", tbs, signer),
  );
  const { reportData: _, ...rest } = request;
  return { der, request: rest };
}

test("a request that is in order is affirmed, and refused for its fault", async () => {
  const good = await csr();
  assert.equal((await verifyEnarxRequest(good.der, good.request)).verdict, "affirmed");
  const nonce = await verifyEnarxRequest(good.der, { ...good.request, nonce: NONCE });
  assert.deepEqual(failures(nonce), ["enarx-csr.nonce"]);
  const refused = [
    ["enarx-csr.key", { reportData: new Uint8Array(64) }],
    ["enarx-csr.signature", { stranger: true }],
    ["enarx-csr.format", { oid: "2.25.1" }],
  ] as const;
  for (const [name, changes] of refused) {
    const { der, request } = await csr(changes);
    const appraisal = await verifyEnarxRequest(der, request);
    assert.deepEqual(failures(appraisal), [name]);
    assert.equal(appraisal.claims, undefined);
  }
});
