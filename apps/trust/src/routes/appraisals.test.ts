// Attestation results over HTTP: read by an outside library, saying what the verifier found and no more.
import assert from "node:assert/strict";
import { test } from "node:test";
import { toBase64, toHex } from "@holdfast/core";
import { CONTENT_DEFECTS, filled, newNitroDocument } from "@holdfast/testkit";
import { createLocalJWKSet, decodeProtectedHeader, importX509, jwtVerify } from "jose";
import {
  challengeOf,
  newService,
  putReferences,
  type TestService,
  world,
} from "../testing/service.ts";

const NITRO = "nitro";

async function ask(service: TestService, body: Record<string, unknown>) {
  return await service.app.inject({
    method: "POST",
    url: "/v1/appraisals",
    payload: { type: NITRO, ...body },
  });
}

async function bodyOf(changes: Parameters<typeof newNitroDocument>[1] = {}) {
  return {
    evidence: toBase64(await newNitroDocument(world, changes)),
    nonce: toBase64(world.nonce),
    report_data: toBase64(world.userData),
  };
}

/** The claims of a token, checked by an outside library with nothing but the published keys. */
async function readToken(service: TestService, token: string): Promise<Record<string, unknown>> {
  const jwks = createLocalJWKSet((await service.app.inject("/v1/jwks")).json());
  const { payload } = await jwtVerify(token, jwks, {
    algorithms: ["ES256"],
    issuer: "holdfast-attestation",
    currentDate: service.now,
  });
  return payload;
}

function submodOf(payload: Record<string, unknown>): Record<string, unknown> {
  return (payload["submods"] as Record<string, Record<string, unknown>>)[NITRO]!;
}

test("a result in the names of the draft", async (t) => {
  const service = await newService(t);
  const answer = await ask(service, await bodyOf());
  assert.equal(answer.statusCode, 200, answer.body);
  const { token, verdict, status, expires_at } = answer.json();
  assert.equal(verdict, "affirmed");
  // Only software stands behind it, and nobody said which image may run: a warning, never affirming.
  assert.equal(status, "warning");
  assert.equal(expires_at, "2026-06-01T10:05:00.000Z");
  const payload = await readToken(service, token);
  assert.equal(payload["eat_profile"], "tag:ietf.org,2026:rats/ear#05");
  assert.equal(
    payload["eat_nonce"],
    world.nonce.toBase64({ alphabet: "base64url", omitPadding: true }),
  );
  assert.equal(payload["ear_status"], 32);
  const submod = submodOf(payload);
  assert.equal(submod["ear_status"], 32);
  assert.deepEqual(submod["ear_trustworthiness_vector"], {
    "instance-identity": 0,
    configuration: 2,
    executables: 33,
    "file-system": 0,
    hardware: 32,
    "runtime-opaque": 0,
    "storage-opaque": 0,
    "sourced-data": 0,
  });
  assert.deepEqual(submod["ear_appraisal_policy_ids"], ["holdfast:nitro"]);
  const claims = submod["ear_attester_claims"] as Record<string, unknown>;
  assert.equal(claims["platform"], "simulated-nitro");
  assert.equal(claims["simulated"], true);
  assert.equal(claims["debug"], false);
  assert.equal(claims["userData"], toHex(world.userData));
  const { checks } = submod["ear_verifier_claims"] as { checks: Record<string, string> };
  assert.equal(checks["nitro.signature"], "passed");
  assert.equal(checks["nitro.pcrs"], "not performed");
  assert.equal(checks["reference.values"], "not performed");
});

test("a result in the dotted names", async (t) => {
  const service = await newService(t);
  const { token } = (await ask(service, { ...(await bodyOf()), names: "dotted" })).json();
  const payload = await readToken(service, token);
  assert.equal(payload["eat_profile"], "tag:github.com,2023:veraison/ear");
  assert.equal(submodOf(payload)["ear.status"], "warning");
  assert.equal(payload["ear_status"], undefined);
  const evidence = submodOf(payload)["ear.veraison.annotated-evidence"];
  assert.equal((evidence as Record<string, unknown>)["simulated"], true);
});

test("known executables are approved, unknown ones make it a refusal", async (t) => {
  const service = await newService(t);
  await putReferences(service, "keeps", [toHex(world.image)]);
  const known = (await ask(service, await bodyOf())).json();
  const vector = submodOf(await readToken(service, known.token))["ear_trustworthiness_vector"];
  assert.equal((vector as Record<string, number>)["executables"], 2);
  await putReferences(service, "keeps", [toHex(filled(48, 1))]);
  const unknown = (await ask(service, await bodyOf())).json();
  assert.equal(unknown.verdict, "refused");
  assert.equal(unknown.status, "contraindicated");
});

test("every defect of content is contraindicated", async (t) => {
  const service = await newService(t);
  for (const { name, changes } of CONTENT_DEFECTS) {
    const spoilt = await changes?.(world);
    // Others are about what the asker pins, which this door leaves to reference values.
    if (spoilt === undefined || /PCR0$|older than|PCR0 to 2|public_key/.test(name)) continue;
    const { verdict, token } = (await ask(service, await bodyOf(spoilt))).json();
    assert.equal(verdict, "refused", name);
    const payload = await readToken(service, token);
    assert.equal(payload["ear_status"], 96);
  }
});

test("evidence that nothing stands behind has no claims, and fails in every category", async (t) => {
  const service = await newService(t, { simulatedRoots: [] });
  const { token } = (await ask(service, await bodyOf())).json();
  const submod = submodOf(await readToken(service, token));
  assert.deepEqual(submod["ear_attester_claims"], { platform: "unknown", simulated: false });
  const vector = submod["ear_trustworthiness_vector"] as Record<string, number>;
  assert.deepEqual(new Set(Object.values(vector)), new Set([99]));
});

test("a challenge of the service serves as nonce, once", async (t) => {
  const service = await newService(t);
  const { id, nonce } = await challengeOf(service);
  const evidence = toBase64(await newNitroDocument(world, { payload: { nonce } }));
  const first = await ask(service, { evidence, challenge_id: id });
  assert.equal(first.json().verdict, "affirmed");
  assert.equal((await ask(service, { evidence, challenge_id: id })).statusCode, 403);
});

test("a token proves itself by its certificates too, under the authority", async (t) => {
  const service = await newService(t);
  const { token } = (await ask(service, await bodyOf())).json();
  const { x5c, alg, typ } = decodeProtectedHeader(token);
  assert.deepEqual([alg, typ], ["ES256", "JWT"]);
  const pem = `-----BEGIN CERTIFICATE-----\n${x5c?.[0]}\n-----END CERTIFICATE-----`;
  await jwtVerify(token, await importX509(pem, "ES256"), { currentDate: service.now });
  assert.equal(x5c?.[1], toBase64(service.keys.authority.certificate.der));
});

test("a token that was changed, or is read too late, is no result", async (t) => {
  const service = await newService(t);
  const { token } = (await ask(service, await bodyOf())).json();
  const [header, payload, signature] = token.split(".");
  const forged = Buffer.from(payload, "base64url")
    .toString()
    .replace('"ear_status":32', '"ear_status":2');
  const changed = [header, Buffer.from(forged).toString("base64url"), signature].join(".");
  await assert.rejects(readToken(service, changed), {
    code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
  });
  service.now = new Date(world.at.getTime() + 301_000);
  await assert.rejects(readToken(service, token), { code: "ERR_JWT_EXPIRED" });
});

test("a rotated key still verifies its tokens", async (t) => {
  const service = await newService(t);
  const { token } = (await ask(service, await bodyOf())).json();
  await service.keys.rotate();
  await readToken(service, token);
  const { token: fresh } = (await ask(service, await bodyOf())).json();
  assert.notEqual(decodeProtectedHeader(fresh).kid, decodeProtectedHeader(token).kid);
  await readToken(service, fresh);
});

test("every result is on the log of decisions, with its evidence", async (t) => {
  const service = await newService(t);
  const body = await bodyOf();
  await ask(service, body);
  const [record] = await service.decisions();
  assert.equal(record?.kind, "appraise");
  assert.equal(record?.outcome, "affirmed");
  assert.equal(record?.evidence, body.evidence);
  assert.equal(record?.nonce, toHex(world.nonce));
});

test("refused: another type, both nonce and challenge, broken base64", async (t) => {
  const service = await newService(t);
  const body = await bodyOf();
  const { id } = await challengeOf(service);
  const answers = [
    await ask(service, { ...body, type: "sgx-v9" }),
    await ask(service, { ...body, challenge_id: id }),
    await ask(service, { ...body, report_data: "A" }),
    await ask(service, { ...body, names: "other" }),
  ];
  assert.deepEqual(
    answers.map((answer) => [answer.statusCode, answer.json().code]),
    [
      [422, "EVIDENCE_TYPE_UNKNOWN"],
      [400, "REQUEST_INVALID"],
      [400, "REQUEST_INVALID"],
      [400, "REQUEST_INVALID"],
    ],
  );
});
