// The client of the attestation service: what it sends, and what it makes of good and bad answers.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpRequest, HttpTransport } from "@holdfast/core";
import { AttestationClient, problem, type ServiceError, ServiceRefusal } from "./index.ts";

const CERTIFICATE = {
  chain_pem: "pem",
  platform: "simulated-nitro",
  simulated: true,
  measurement: "a".repeat(64),
  policy_hash: "b".repeat(64),
  not_after: "2026-06-01T10:00:00.000Z",
};

const PROOF = Uint8Array.of(1);
const GRANT = { measurements: ["a".repeat(64)], programs: ["b".repeat(64)] };

function answering(status: number, body: string | object) {
  const requests: HttpRequest[] = [];
  const transport: HttpTransport = {
    async request(request) {
      requests.push(request);
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const bytes = new TextEncoder().encode(text);
      return { status, headers: {}, body: ReadableStream.from([bytes]) };
    },
  };
  return { client: new AttestationClient(transport), requests };
}

function sent({ body }: HttpRequest): unknown {
  assert.ok(body instanceof Uint8Array);
  return JSON.parse(new TextDecoder().decode(body));
}

test("certify sends bytes as base64, and the authority when it is named", async () => {
  const { client, requests } = answering(201, CERTIFICATE);
  const proof = { challengeId: "c", evidence: Uint8Array.of(1), csr: Uint8Array.of(2) };
  assert.deepEqual(await client.certify(proof), CERTIFICATE);
  await client.certify({ ...proof, authoritySha256: "0".repeat(64) });
  const [plain, named] = requests;
  assert.equal(plain?.path, "/v1/certificates");
  assert.deepEqual(sent(plain!), { challenge_id: "c", evidence: "AQ==", csr: "Ag==" });
  assert.deepEqual(sent(named!), {
    challenge_id: "c",
    evidence: "AQ==",
    csr: "Ag==",
    authority_sha256: "0".repeat(64),
  });
});

test("a refusal keeps the service's code, sentence and status", async () => {
  const { client } = answering(403, problem(403, "ATTESTATION_REFUSED", "not accepted"));
  await assert.rejects(client.challenge(), (error: unknown) => {
    assert.ok(error instanceof ServiceRefusal);
    assert.deepEqual(
      [error.status, error.code, error.message],
      [403, "ATTESTATION_REFUSED", "not accepted"],
    );
    return true;
  });
});

test("a refusal in other words is told by its status", async () => {
  const { client } = answering(502, "<html>bad gateway</html>");
  await assert.rejects(client.authority(), { code: "SERVICE_ANSWER", message: /answered 502/ });
});

const BAD: readonly (readonly [name: string, body: string | object, message: RegExp])[] = [
  ["text that is not JSON", "{", /not JSON/],
  ["another shape", { ...CERTIFICATE, simulated: "no" }, /another shape/],
  ["a measurement that is none", { ...CERTIFICATE, measurement: "A".repeat(64) }, /another shape/],
  ["an answer over the bound", "x".repeat(256 * 1024 + 1), /over 262144 bytes/],
];

for (const [name, body, message] of BAD) {
  test(`refused: ${name}`, async () => {
    const { client } = answering(201, body);
    const proof = { challengeId: "c", evidence: new Uint8Array(), csr: new Uint8Array() };
    await assert.rejects(
      client.certify(proof),
      (error: ServiceError) => error.code === "SERVICE_ANSWER" && message.test(error.message),
    );
  });
}

test("everything else is asked for where it is", async () => {
  const paths: string[] = [];
  const transport: HttpTransport = {
    async request({ method, path }) {
      paths.push(`${method} ${path}`);
      return { status: 404, headers: {}, body: ReadableStream.from([]) };
    },
  };
  const client = new AttestationClient(transport);
  for (const call of [
    client.challenge(),
    client.authority(),
    client.resultKeys(),
    client.appraise({ type: "nitro", evidence: "AQ==" }),
    client.releaseKey("a", { challengeId: "c", evidence: PROOF, request: PROOF }),
    client.putKey("a", { key: "", grant: GRANT }),
    client.grantKey("a", GRANT),
    client.key("../a"),
    client.keys(),
    client.deleteKey("a"),
  ]) {
    await assert.rejects(call, { code: "SERVICE_ANSWER" });
  }
  assert.deepEqual(paths, [
    "POST /v1/challenges",
    "GET /v1/authority",
    "GET /v1/jwks",
    "POST /v1/appraisals",
    "POST /v1/keys/a/release",
    "PUT /v1/keys/a",
    "PUT /v1/keys/a/grant",
    "GET /v1/keys/..%2Fa",
    "GET /v1/keys",
    "DELETE /v1/keys/a",
  ]);
});

test("a released key is handed on as it came, and nothing in another shape", async () => {
  const jwe = {
    protected: "eyJ9",
    encrypted_key: "A".repeat(54),
    iv: "A".repeat(16),
    ciphertext: "A".repeat(43),
    tag: "A".repeat(22),
  };
  const bid = { challengeId: "c", evidence: PROOF, request: Uint8Array.of(2) };
  const { client, requests } = answering(200, { jwe });
  assert.deepEqual(await client.releaseKey("a", bid), { jwe });
  const [asked] = requests;
  assert.deepEqual(sent(asked!), { challenge_id: "c", evidence: "AQ==", request: "Ag==" });
  for (const change of [{ tag: "A" }, { aad: "A" }, { iv: undefined }]) {
    const other = answering(200, { jwe: { ...jwe, ...change } });
    await assert.rejects(other.client.releaseKey("a", bid), { code: "SERVICE_ANSWER" });
  }
});
