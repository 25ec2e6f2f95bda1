// Decisions made again from the data directory alone: vendors' documents that an asker brought, keys that the operator enrolled,
// and roots that the service was told to accept are all there.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { replayDecision } from "@holdfast/channel";
import { fromText, toBase64, toHex, webCrypto } from "@holdfast/core";
import { BASIS_FACT, NO_ENDORSEMENTS, readBasis } from "@holdfast/evidence";
import { newIntelEvidence, newIntelWorld, newPsaToken } from "@holdfast/testkit";
import { newService } from "../testing/service.ts";

test("a decision can be made again from what the service keeps", async (t) => {
  const quote = await newIntelEvidence(await newIntelWorld());
  const psa = newPsaToken();
  const service = await newService(t, {
    simulatedRoots: quote.request.anchors ?? [],
    collateral: { ...NO_ENDORSEMENTS, keys: psa.request.endorsements.keys },
    at: quote.request.at,
  });
  const { certificates, revocationLists, intel } = quote.request.endorsements;
  const documents = [
    ...[...certificates, ...revocationLists].map(({ der }) => der),
    ...intel.map(({ text, signature }) =>
      fromText(JSON.stringify({ tcb_info: text, tcb_info_signature: toHex(signature) })),
    ),
  ];
  const ask = async (payload: object) => {
    const answer = await service.app.inject({ method: "POST", url: "/v1/appraisals", payload });
    return answer.json()["verdict"];
  };
  const brought = {
    evidence: toBase64(quote.evidence),
    endorsements: documents.map((bytes, index) => ({ name: `${index}`, bytes: toBase64(bytes) })),
  };
  assert.equal(await ask(brought), "affirmed");
  const folder = join(service.directory, "decisions.basis");
  const before = (await readdir(folder)).length;
  assert.equal(await ask(brought), "affirmed");
  assert.equal((await readdir(folder)).length, before);
  const nonce = toBase64(psa.request.nonce ?? new Uint8Array());
  assert.equal(await ask({ evidence: toBase64(psa.evidence), nonce }), "affirmed");
  assert.equal(await ask({ evidence: brought.evidence }), "not-judged");

  const decisions = await service.decisions();
  assert.equal(decisions.length, 4);
  for (const record of decisions) {
    const digest = String(record.facts[BASIS_FACT]);
    const read = async (name: string) => new Uint8Array(await readFile(join(folder, name)));
    const basis = await readBasis(digest, read, webCrypto);
    const at = new Date("2040-01-01T00:00:00Z");
    const replay = await replayDecision({ record, ...basis, crypto: webCrypto, at });
    assert.deepEqual(replay?.contradictions, [], record.outcome);
    assert.ok(
      record.outcome !== "affirmed" || record.facts["type"] === "psa" || replay?.changes[0],
    );
  }
});
