// Certificates of endorsement keys: of a software TPM, and of our own with one thing wrong each.
import assert from "node:assert/strict";
import { test } from "node:test";
import { derWrite, fromPem, keyUsage, parseCertificate, webCrypto } from "@holdfast/core";
import { newList, newParty, PARTY_FROM, type Party, serialOf } from "@holdfast/testkit";
import { type JudgeRequest, judgeEndorsementKey, NO_ENDORSEMENTS } from "../index.ts";
import { vectorBytes, WITH_VECTORS } from "../testing/vectors.ts";

const failures = (checks: readonly { name: string; outcome: string }[]) =>
  checks.filter(({ outcome }) => outcome === "failed").map(({ name }) => name);

test("the certificate that a software TPM was made with", WITH_VECTORS, async () => {
  const folder = "tpm/swtpm-rsa-ssa";
  const pem = (name: string) => {
    const [der] = fromPem(
      "CERTIFICATE",
      new TextDecoder().decode(vectorBytes(`${folder}/${name}`)),
    );
    return parseCertificate(der ?? new Uint8Array());
  };
  const { checks } = await judgeEndorsementKey(
    parseCertificate(vectorBytes(`${folder}/ek-cert.der`)),
    {
      at: new Date("2026-12-01T00:00:00Z"),
      crypto: webCrypto,
      anchors: [pem("ek-root.pem")],
      endorsements: { ...NO_ENDORSEMENTS, certificates: [pem("ek-issuer.pem")] },
    },
  );
  assert.deepEqual(failures(checks), []);
});

const PURPOSE = { oid: "2.5.29.37", value: derWrite.sequence(derWrite.oid("2.23.133.8.1")) };
const maker = await newParty({ name: { CN: "maker" }, kind: "rsa2048", isCa: true });

async function key(change: { issuer?: Party; extensions?: object[]; notAfter?: Date } = {}) {
  return await newParty({
    name: { CN: "ek" },
    kind: "rsa2048",
    issuer: change.issuer ?? maker,
    change: {
      extensions: (change.extensions as [] | undefined) ?? [keyUsage("keyEncipherment"), PURPOSE],
      ...(change.notAfter === undefined ? {} : { notAfter: change.notAfter }),
    },
  });
}

test("each defect fails by its own check", async () => {
  const request: JudgeRequest = {
    at: new Date("2026-06-01T00:00:00Z"),
    crypto: webCrypto,
    anchors: [maker.certificate],
    endorsements: { ...NO_ENDORSEMENTS, revocationLists: [await newList(maker)] },
  };
  const failing = async (party: Party, change: Partial<JudgeRequest> = {}) =>
    failures((await judgeEndorsementKey(party.certificate, { ...request, ...change })).checks);
  const good = await key();
  assert.deepEqual(await failing(good), []);
  assert.deepEqual(await failing(await key({ extensions: [keyUsage("keyEncipherment")] })), [
    "ek.purpose",
  ]);
  assert.deepEqual(
    await failing(await key({ extensions: [keyUsage("digitalSignature"), PURPOSE] })),
    ["ek.path.key-usage"],
  );
  assert.deepEqual(await failing(await key({ notAfter: new Date("2026-05-31T00:00:00Z") })), [
    "ek.path.validity",
  ]);
  const other = await newParty({ name: { CN: "maker" }, kind: "rsa2048", isCa: true });
  assert.deepEqual(await failing(await key({ issuer: other })), ["ek.path.signatures"]);
  assert.deepEqual(await failing(good, { anchors: [] }), ["ek.path.anchor"]);
  const revoked = [{ serial: serialOf(good), at: PARTY_FROM }];
  const revocationLists = [await newList(maker, { revoked })];
  assert.deepEqual(await failing(good, { endorsements: { ...NO_ENDORSEMENTS, revocationLists } }), [
    "ek.revocation",
  ]);
  const open = await judgeEndorsementKey(good.certificate, {
    ...request,
    endorsements: NO_ENDORSEMENTS,
  });
  const { outcome } = open.checks.find(({ name }) => name === "ek.revocation") ?? {};
  assert.equal(outcome, "not performed");
});
