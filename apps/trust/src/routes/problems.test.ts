// What is malformed is answered with a problem document that tells the caller, and uses nothing up.
import assert from "node:assert/strict";
import { test } from "node:test";
import { toBase64 } from "@holdfast/core";
import {
  challengeOf,
  evidenceOver,
  keepRequest,
  newService,
  submit,
  type TestService,
} from "../testing/service.ts";

const BODY = { challenge_id: "x", evidence: "AAAA", csr: "AAAA" };

const MALFORMED: readonly (readonly [name: string, body: unknown, detail: RegExp])[] = [
  ["a body that is no object", [], /object/],
  ["no challenge", { ...BODY, challenge_id: undefined }, /challenge_id/],
  ["no evidence", { ...BODY, evidence: undefined }, /evidence/],
  ["no request", { ...BODY, csr: undefined }, /csr/],
  ["a member nobody knows", { ...BODY, debug: true }, /additional/],
  ["evidence of another type", { ...BODY, evidence: 1 }, /evidence/],
  ["empty evidence", { ...BODY, evidence: "" }, /evidence/],
  ["evidence that is not base64", { ...BODY, evidence: "A-_=" }, /evidence: not base64/],
  ["base64 without padding", { ...BODY, csr: "AAA" }, /csr: not base64/],
  ["evidence over the bound", { ...BODY, evidence: "A".repeat(22_004) }, /evidence/],
  ["a challenge over the bound", { ...BODY, challenge_id: "a".repeat(65) }, /challenge_id/],
];

for (const [name, payload, detail] of MALFORMED) {
  test(`400 for ${name}`, async (t) => {
    const { app } = await newService(t);
    const response = await app.inject({
      method: "POST",
      url: "/v1/certificates",
      payload: payload as object,
    });
    assert.equal(response.statusCode, 400);
    assert.equal(response.json().code, "REQUEST_INVALID");
    assert.match(response.json().detail, detail);
  });
}

test("400 for JSON that does not end, 415 for another media type, 413 for a body over the bound", async (t) => {
  const { app } = await newService(t);
  const post = (payload: string, type: string) =>
    app.inject({
      method: "POST",
      url: "/v1/certificates",
      headers: { "content-type": type },
      payload,
    });
  const answers = await Promise.all([
    post("{", "application/json"),
    post("{}", "application/cbor"),
    post(" ".repeat(64 * 1024 + 1), "application/json"),
    post('{"__proto__": {}}', "application/json"),
  ]);
  assert.deepEqual(
    answers.map((answer) => [answer.statusCode, answer.json().code]),
    [
      [400, "REQUEST_INVALID"],
      [415, "REQUEST_MEDIA_TYPE"],
      [413, "REQUEST_TOO_LARGE"],
      [400, "REQUEST_INVALID"],
    ],
  );
});

test("404 for a route nobody knows, also with a method nobody knows", async (t) => {
  const { app } = await newService(t);
  for (const [method, url] of [
    ["GET", "/"],
    ["GET", "/v1/challenges"],
    ["DELETE", "/v1/authority"],
    ["GET", "/../etc/passwd"],
  ] as const) {
    const response = await app.inject({ method, url });
    assert.equal(response.statusCode, 404);
    assert.equal(response.json().code, "ROUTE_UNKNOWN");
  }
});

test("a malformed request uses no challenge up", async (t) => {
  const service = await newService(t);
  const { id, nonce } = await challengeOf(service);
  const csr = await keepRequest();
  const evidence = await evidenceOver(nonce, csr);
  const malformed = await service.app.inject({
    method: "POST",
    url: "/v1/certificates",
    payload: { challenge_id: id, evidence: `${toBase64(evidence)}=`, csr: toBase64(csr) },
  });
  assert.equal(malformed.statusCode, 400);
  assert.equal((await submit(service, id, evidence, csr)).statusCode, 201);
});

test("a failure of our own is a plain 500, and no certificate is issued unlogged", async (t) => {
  const service = await newService(t, { brokenLog: true });
  await assertPlainFailure(service);
});

async function assertPlainFailure(service: TestService): Promise<void> {
  const { id, nonce } = await challengeOf(service);
  const csr = await keepRequest();
  const response = await submit(service, id, await evidenceOver(nonce, csr), csr);
  assert.equal(response.statusCode, 500);
  assert.deepEqual(response.json(), {
    type: "about:blank",
    title: "Internal Server Error",
    status: 500,
    code: "INTERNAL",
    detail: "the service failed; its log says why",
  });
}

test("healthy", async (t) => {
  const { app } = await newService(t);
  assert.deepEqual((await app.inject("/healthz")).json(), { status: "ok" });
});
