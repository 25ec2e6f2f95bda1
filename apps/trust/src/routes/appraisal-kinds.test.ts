// Evidence of other kinds at the same door: endorsements come along as data, never as trust.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBase64, toBase64, toHex, toPem, toText } from "@holdfast/core";
import { keyOfSpki, NO_ENDORSEMENTS, parsePublicArea } from "@holdfast/evidence";
import { readSample, readSampleJson, sampleFolder } from "@holdfast/testkit";
import { decodeJwt } from "jose";
import { newService, type TestService } from "../testing/service.ts";

interface TpmCase {
  readonly ak_public: string;
  readonly pcrs: { readonly sha256: Readonly<Record<string, string>> };
}

const { folder, why } = sampleFolder("evidence");
const file = (name: string): Uint8Array => readSample(folder ?? "", name);

async function ask({ app }: TestService, payload: object) {
  return await app.inject({ method: "POST", url: "/v1/appraisals", payload });
}

function submodOf(token: string, type: string): Record<string, Record<string, unknown>> {
  return (decodeJwt(token)["submods"] as Record<string, Record<string, Record<string, unknown>>>)[
    type
  ]!;
}

test("a genuine SEV-SNP report with its certificates and lists", { skip: why }, async (t) => {
  const service = await newService(t);
  const index = readSampleJson<{
    entries: { id: string; type: string; files: string[] }[];
  }>(folder ?? "", "index.json");
  const sample = index.entries.find(({ id }) => id === "snp-milan-trustee");
  assert.ok(sample !== undefined);
  service.now = new Date("2026-01-15T00:00:00Z");
  const [evidence, ...rest] = sample.files;
  const roots = ["roots/amd-milan-ark.der", "roots/amd-milan-ask.der"];
  const endorsements = [...rest, ...roots].map((name) => ({ name, bytes: toBase64(file(name)) }));
  const answer = await ask(service, { evidence: toBase64(file(evidence!)), endorsements });
  const { token, verdict } = answer.json();
  // Without revocation lists, which the sample has not, nobody can say more.
  assert.equal(verdict, "not-judged", answer.body);
  const submod = submodOf(token, "sev-snp");
  assert.equal(submod["ear_status"], 0);
  assert.equal(submod["ear_attester_claims"]?.["platform"], "amd-sev-snp");
});

test("a key that the asker sends along enrols nothing", { skip: why }, async (t) => {
  const service = await newService(t);
  const evidence = file("synthetic/tpm/ok.json");
  const { ak_public } = JSON.parse(toText(evidence)) as TpmCase;
  const { key } = parsePublicArea(fromBase64(ak_public));
  const bytes = toBase64(new TextEncoder().encode(toPem("PUBLIC KEY", key.spki)));
  const answer = await ask(service, {
    evidence: toBase64(evidence),
    endorsements: [{ name: "ak.pem", bytes }],
  });
  assert.equal(answer.json().verdict, "not-judged");
  assert.equal(decodeJwt(answer.json().token)["ear_status"], 0);
});

test("a key that the operator enrolled does", { skip: why }, async (t) => {
  const evidence = file("synthetic/tpm/ok.json");
  const { ak_public } = JSON.parse(toText(evidence)) as TpmCase;
  const { key } = parsePublicArea(fromBase64(ak_public));
  const collateral = { ...NO_ENDORSEMENTS, keys: [keyOfSpki(key.spki)] };
  const service = await newService(t, { collateral });
  const { cases } = readSampleJson<{ cases: { ok: { expectedNonce: string } } }>(
    folder ?? "",
    "synthetic/tpm/index.json",
  );
  const nonce = toBase64(Uint8Array.fromHex(cases.ok.expectedNonce));
  const answer = await ask(service, { evidence: toBase64(evidence), nonce });
  assert.equal(answer.json().verdict, "affirmed", answer.body);
  const other = await ask(service, {
    evidence: toBase64(evidence),
    nonce: toBase64(new Uint8Array(32)),
  });
  assert.equal(other.json().verdict, "refused");
});

test("claims that the asker expects are compared, and a kind that it expects", {
  skip: why,
}, async (t) => {
  const service = await newService(t);
  const sample = file("nitro/prod-2022.bin");
  service.now = new Date("2022-10-13T08:58:02.136Z");
  const pcr0 =
    "f4d48b81a460c9916d1e685119074bf24660afd3e34fae9fca0a0d28d9d5599936332687e6f66fc890ac8cf150142d8b";
  const verdictOf = async (more: object): Promise<string> =>
    (await ask(service, { evidence: toBase64(sample), ...more })).json().verdict;
  assert.equal(await verdictOf({}), "affirmed");
  assert.equal(await verdictOf({ type: "nitro", expect: { "nonZeroPcrs.0": [pcr0] } }), "affirmed");
  assert.equal(
    await verdictOf({ expect: { "nonZeroPcrs.0": [toHex(new Uint8Array(48))] } }),
    "refused",
  );
  assert.equal(await verdictOf({ type: "sev-snp" }), "refused");
});
