// The administrator's routes: closed to everybody else, and what they change holds from then on.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { fromPem, parseCertificate, toHex, unmet, verifyPath, webCrypto } from "@holdfast/core";
import { REFERENCE_CHECK } from "@holdfast/evidence";
import { filled } from "@holdfast/testkit";
import { CompactSign } from "jose";
import { setSignerOf } from "../services/signed-set.ts";
import {
  ADMIN_TOKEN,
  challengeOf,
  evidenceOver,
  keepRequest,
  newService,
  putReferences,
  submit,
  type TestService,
  world,
} from "../testing/service.ts";

const SET = {
  type: "nitro",
  not_after: "2026-12-31T00:00:00Z",
  values: [{ name: "keep", claims: { "nonZeroPcrs.0": [toHex(world.image)] } }],
};

async function admin(
  { app }: TestService,
  method: "GET" | "PUT" | "POST" | "DELETE",
  url: string,
  payload?: object,
  headers: Record<string, string> = {},
) {
  return await app.inject({
    method,
    url,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...headers },
    ...(payload === undefined ? {} : { payload }),
  });
}

async function certifyOnce(service: TestService, authority_sha256?: string) {
  const { id, nonce } = await challengeOf(service);
  const csr = await keepRequest();
  const evidence = await evidenceOver(nonce, csr);
  if (authority_sha256 === undefined) return await submit(service, id, evidence, csr);
  return await service.app.inject({
    method: "POST",
    url: "/v1/certificates",
    payload: {
      challenge_id: id,
      evidence: evidence.toBase64(),
      csr: csr.toBase64(),
      authority_sha256,
    },
  });
}

const ROUTES = [
  ["GET", "/v1/reference-values"],
  ["GET", "/v1/reference-values/keeps"],
  ["PUT", "/v1/reference-values/keeps"],
  ["DELETE", "/v1/reference-values/keeps"],
  ["POST", "/v1/authority/rotate"],
  ["GET", "/v1/authority/request"],
  ["PUT", "/v1/authority/certificate"],
  ["DELETE", "/v1/authorities/00"],
] as const;

for (const [method, url] of ROUTES) {
  test(`401 for ${method} ${url} without the administrator's token`, async (t) => {
    const service = await newService(t);
    for (const authorization of [
      undefined,
      "",
      "Bearer",
      "Bearer wrong",
      `Bearer ${ADMIN_TOKEN}x`,
      `Bearer ${ADMIN_TOKEN.slice(0, -1)}`,
      `Basic ${ADMIN_TOKEN}`,
      ADMIN_TOKEN,
    ]) {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
      const response = await service.app.inject({ method, url, headers });
      assert.equal(response.statusCode, 401, authorization ?? "no header");
      assert.equal(response.json().code, "ADMIN_REQUIRED");
      assert.equal(response.headers["www-authenticate"], "Bearer");
    }
    assert.deepEqual(await service.decisions(), []);
  });
}

test("without a token in the configuration nobody is the administrator", async (t) => {
  const service = await newService(t, { adminToken: undefined });
  assert.equal((await admin(service, "GET", "/v1/reference-values")).statusCode, 401);
});

test("sets are made, read, replaced and removed, each with its version", async (t) => {
  const service = await newService(t);
  const made = await admin(service, "PUT", "/v1/reference-values/keeps", SET);
  assert.equal(made.statusCode, 201, made.body);
  const read = await admin(service, "GET", "/v1/reference-values/keeps");
  assert.deepEqual(read.json(), { name: "keeps", ...SET });
  assert.equal(read.headers["etag"], made.headers["etag"]);
  const list = await admin(service, "GET", "/v1/reference-values");
  assert.deepEqual(list.json(), { sets: [{ name: "keeps", ...SET }] });
  const other = { ...SET, not_after: "2027-01-01T00:00:00Z" };
  const match = { "if-match": String(made.headers["etag"]) };
  const replaced = await admin(service, "PUT", "/v1/reference-values/keeps", other, match);
  assert.equal(replaced.statusCode, 200);
  const late = await admin(service, "PUT", "/v1/reference-values/keeps", SET, match);
  assert.equal(late.statusCode, 412);
  assert.equal(late.json().code, "REFERENCE_VALUES_CHANGED");
  assert.equal(
    (await admin(service, "DELETE", "/v1/reference-values/keeps", undefined, match)).statusCode,
    412,
  );
  assert.equal((await admin(service, "DELETE", "/v1/reference-values/keeps")).statusCode, 204);
  assert.equal((await admin(service, "DELETE", "/v1/reference-values/keeps")).statusCode, 404);
  assert.equal((await admin(service, "GET", "/v1/reference-values/keeps")).statusCode, 404);
  assert.deepEqual(
    (await service.decisions()).map(({ kind, outcome }) => `${kind} ${outcome}`),
    ["reference-values made", "reference-values replaced", "reference-values removed"],
  );
});

test("400 for a set that is not one, and nothing changes", async (t) => {
  const service = await newService(t);
  const [value] = SET.values;
  const broken: readonly object[] = [
    { ...SET, type: undefined },
    { ...SET, not_after: "tomorrow" },
    { ...SET, not_after: "2026-02-31T99:00:00Z" },
    { ...SET, values: [] },
    { ...SET, values: [{ ...value, claims: {} }] },
    { ...SET, values: [{ ...value, claims: { a: [] } }] },
    { ...SET, values: [{ ...value, claims: { a: "b" } }] },
    { ...SET, more: 1 },
  ];
  for (const body of broken) {
    const response = await admin(service, "PUT", "/v1/reference-values/keeps", body);
    assert.equal(response.statusCode, 400, JSON.stringify(body));
  }
  const name = await admin(service, "PUT", "/v1/reference-values/..%2Fkeeps", SET);
  assert.equal(name.statusCode, 400);
  assert.deepEqual((await admin(service, "GET", "/v1/reference-values")).json(), { sets: [] });
});

test("where signers are configured, the administrator's token alone approves nothing", async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  const service = await newService(t, { referenceSigners: [setSignerOf(pem)] });
  const put = (body: object) => admin(service, "PUT", "/v1/reference-values/keeps", body);
  const plain = await put(SET);
  assert.equal(plain.statusCode, 400);
  assert.match(plain.json().detail, /signed sets only/);
  const sign = async (set: object, key = privateKey): Promise<{ signed: string }> => ({
    signed: await new CompactSign(new TextEncoder().encode(JSON.stringify(set)))
      .setProtectedHeader({ alg: "ES256" })
      .sign(key),
  });
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  assert.equal((await put(await sign({ name: "keeps", ...SET }, other))).statusCode, 400);
  assert.equal((await put(await sign({ name: "others", ...SET }))).statusCode, 400);
  assert.equal((await put(await sign({ name: "keeps", ...SET }))).statusCode, 201);
  assert.equal((await certifyOnce(service)).statusCode, 201);
});

test("where reference values are, keeps outside them get no certificate", async (t) => {
  const service = await newService(t);
  assert.equal((await certifyOnce(service)).statusCode, 201);
  await putReferences(service, "keeps", [toHex(filled(48, 1))]);
  assert.equal((await certifyOnce(service)).statusCode, 403);
  const failed = (await service.decisions())
    .at(-1)
    ?.checks.filter(({ outcome }) => outcome === "failed");
  assert.deepEqual(
    failed?.map(({ name }) => name),
    [REFERENCE_CHECK],
  );
  await putReferences(service, "more", [toHex(world.image)]);
  assert.equal((await certifyOnce(service)).statusCode, 201);
});

test("reference values that have expired let nothing pass", async (t) => {
  const service = await newService(t);
  const past = { ...SET, not_after: "2026-01-01T00:00:00Z" };
  assert.equal((await admin(service, "PUT", "/v1/reference-values/keeps", past)).statusCode, 201);
  assert.equal((await certifyOnce(service)).statusCode, 403);
});

test("a keep renews its certificate under a new challenge, with the same key", async (t) => {
  const service = await newService(t);
  const csr = await keepRequest();
  const leaves = [];
  for (const hours of [0, 2]) {
    service.now = new Date(world.at.getTime() + hours * 60 * 60 * 1000);
    const { id, nonce } = await challengeOf(service);
    const payload = { timestamp: service.now.getTime() };
    const answer = await submit(service, id, await evidenceOver(nonce, csr, { payload }), csr);
    assert.equal(answer.statusCode, 201, answer.body);
    leaves.push(parseCertificate(fromPem("CERTIFICATE", answer.json().chain_pem)[0]!));
  }
  const [first, second] = leaves;
  assert.deepEqual(second?.spki, first?.spki);
  assert.notEqual(second?.serial, first?.serial);
  assert.equal(second!.notAfter.getTime() - first!.notAfter.getTime(), 2 * 60 * 60 * 1000);
});

test("after a rotation new keeps get the new authority, old ones renew under their own", async (t) => {
  const service = await newService(t);
  const old = service.keys.authority;
  const rotated = await admin(service, "POST", "/v1/authority/rotate");
  assert.equal(rotated.statusCode, 201);
  const { certificate_pem, previous } = (await service.app.inject("/v1/authority")).json();
  assert.equal(certificate_pem, rotated.json().certificate_pem);
  assert.deepEqual(previous, [old.certificatePem]);
  for (const [sha256, anchor] of [
    [undefined, service.keys.authority],
    [old.sha256, old],
  ] as const) {
    const { chain_pem } = (await certifyOnce(service, sha256)).json();
    const chain = fromPem("CERTIFICATE", chain_pem).map((der) => parseCertificate(der));
    const anchors = [anchor.certificate];
    const checks = await verifyPath({ chain, anchors, at: world.at, crypto: webCrypto });
    assert.deepEqual(unmet(checks), []);
  }
  const retired = await admin(service, "DELETE", `/v1/authorities/${old.sha256}`);
  assert.equal(retired.statusCode, 204);
  const unknown = await certifyOnce(service, old.sha256);
  assert.equal(unknown.statusCode, 404);
  assert.equal(unknown.json().code, "AUTHORITY_UNKNOWN");
});

test("the request for an outside authority is the key in use; a broken answer changes nothing", async (t) => {
  const service = await newService(t);
  const { request_pem } = (await admin(service, "GET", "/v1/authority/request")).json();
  assert.match(request_pem, /BEGIN CERTIFICATE REQUEST/);
  const before = service.keys.authority.sha256;
  const chain_pem = service.keys.authority.certificatePem;
  const response = await admin(service, "PUT", "/v1/authority/certificate", { chain_pem });
  assert.equal(response.statusCode, 400);
  assert.equal(service.keys.authority.sha256, before);
});
