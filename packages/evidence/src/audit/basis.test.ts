// What a decision rested on, kept and read back: the same verdict, the same order, and each damage seen.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromText, HoldfastError, webCrypto } from "@holdfast/core";
import { newIntelEvidence, newIntelWorld, newPsaToken } from "@holdfast/testkit";
import {
  basisFolderOf,
  encodeBasis,
  mergeEndorsements,
  NO_ENDORSEMENTS,
  readBasis,
  verifyEvidence,
} from "../index.ts";

const { evidence, request } = await newIntelEvidence(await newIntelWorld());
const psa = newPsaToken();
const parts = [{ name: "log.bin", bytes: fromText("measured") }];
const endorsements = mergeEndorsements(request.endorsements, psa.request.endorsements, {
  ...NO_ENDORSEMENTS,
  parts,
});
const anchors = request.anchors ?? [];
const { digest, documents } = await encodeBasis({ endorsements, anchors }, webCrypto);
const kept = new Map(documents.map(({ sha256, bytes }) => [sha256, bytes]));

test("a basis comes back as it was, in its order", async () => {
  const back = await readBasis(digest, async (sha256) => kept.get(sha256), webCrypto);
  assert.deepEqual(back.endorsements, { ...endorsements, ignored: [] });
  assert.deepEqual(
    back.anchors.map(({ der }) => der),
    anchors.map(({ der }) => der),
  );
  const before = await verifyEvidence(evidence, request);
  assert.equal(before.verdict, "affirmed");
  assert.deepEqual(await verifyEvidence(evidence, { ...request, ...back }), before);
  assert.equal((await encodeBasis(back, webCrypto)).digest, digest);
});

test("a document that stands twice is kept once", async () => {
  const twice = mergeEndorsements(endorsements, endorsements);
  const both = await encodeBasis({ endorsements: twice, anchors }, webCrypto);
  assert.equal(both.documents.length, documents.length);
  assert.notEqual(both.digest, digest);
});

test("each document that was changed or is gone is seen", async () => {
  for (const { sha256 } of documents) {
    for (const other of [undefined, fromText("something else")]) {
      const read = async (name: string) => (name === sha256 ? other : kept.get(name));
      await assert.rejects(
        readBasis(digest, read, webCrypto),
        (thrown) =>
          thrown instanceof HoldfastError && /was changed|is not beside/.test(thrown.message),
      );
    }
  }
});

test("a list of something else is an error of our own", async () => {
  for (const text of [
    "",
    "[]",
    '{"documents":1}',
    '{"documents":[1]}',
    `{"documents":[{"kind":"other","sha256":"${digest}"}]}`,
    '{"documents":[{"kind":"key","sha256":"../../etc/passwd"}]}',
    `{"documents":[{"kind":"intel","sha256":"${digest}"}]}`,
    `{"documents":[{"kind":"certificate","sha256":"${digest}"}]}`,
  ]) {
    const bytes = fromText(text);
    const sha256 = (await webCrypto.digest("SHA-256", bytes)).toHex();
    const read = async (name: string) => (name === sha256 ? bytes : kept.get(name));
    await assert.rejects(readBasis(sha256, read, webCrypto), HoldfastError, text);
  }
});

test("the folder lies beside the log", () => {
  assert.equal(basisFolderOf("data/decisions.jsonl"), "data/decisions.basis");
  assert.equal(basisFolderOf("log"), "log.basis");
});
