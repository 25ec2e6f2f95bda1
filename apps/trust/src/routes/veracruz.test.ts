// The doors of the Veracruz proxy: its words, our checks.
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { keepClaims } from "@holdfast/channel";
import { concat, derChildren, parseCertificate, readDer, toBase64, toHex } from "@holdfast/core";
import { cborWrite } from "@holdfast/evidence";
import { filled, newPsaToken } from "@holdfast/testkit";
import {
  evidenceOver,
  keepRequest,
  newService,
  otherRequest,
  type TestService,
  world,
} from "../testing/service.ts";

async function start({ app }: TestService): Promise<{ id: string; nonce: Uint8Array }> {
  const response = await app.inject({ method: "POST", url: "/proxy/v1/Start" });
  assert.equal(response.statusCode, 201);
  return {
    id: String(response.headers["location"]),
    nonce: new Uint8Array(response.rawPayload),
  };
}

async function hand(
  { app }: TestService,
  id: string,
  fields: Record<string, string>,
  kind = "Nitro",
) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const request = new Request("http://localhost", { method: "POST", body: form });
  return await app.inject({
    method: "POST",
    url: `/proxy/v1/${kind}/${id}`,
    headers: { "content-type": request.headers.get("content-type") ?? "" },
    payload: Buffer.from(await request.arrayBuffer()),
  });
}

/** As the Veracruz runtime does it: the tag of COSE_Sign1 before the document. */
async function tagged(nonce: Uint8Array, csr: Uint8Array): Promise<Uint8Array> {
  return concat(Uint8Array.of(0xd2), await evidenceOver(nonce, csr));
}

test("Start gives a challenge of 32 bytes and its id", async (t) => {
  const service = await newService(t);
  const { id, nonce } = await start(service);
  assert.match(id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.equal(nonce.length, 32);
});

test("a runtime's request without policy hash gets two certificates, one after the other", async (t) => {
  const service = await newService(t);
  const { id, nonce } = await start(service);
  const csr = await otherRequest({}, null);
  const response = await hand(service, id, {
    token: toBase64(await tagged(nonce, csr)),
    csr: toBase64(csr),
  });
  assert.equal(response.statusCode, 200, response.body);
  const both = new Uint8Array(response.rawPayload);
  const [leaf, authority] = derChildren({ tag: 0x30, content: both, bytes: both }).map(
    ({ bytes }) => parseCertificate(bytes),
  );
  assert.deepEqual(authority?.der, service.keys.authority.certificate.der);
  assert.deepEqual(keepClaims(leaf!), {
    measurement: toHex(world.image.subarray(0, 32)),
    platform: "simulated-nitro",
  });
  // As the clients of its day ask for it in the handshake.
  assert.equal(
    new X509Certificate(leaf!.der).checkHost("ComputeEnclave.dev"),
    "ComputeEnclave.dev",
  );
  assert.equal(readDer(leaf!.der).tag, 0x30);
});

test("a request of another key than the evidence binds gets no certificate in any form", async (t) => {
  const service = await newService(t);
  const { id, nonce } = await start(service);
  const token = toBase64(await tagged(nonce, await keepRequest()));
  const response = await hand(service, id, { token, csr: toBase64(await keepRequest()) });
  assert.equal(response.statusCode, 403);
  assert.equal(response.json().code, "ATTESTATION_REFUSED");
  assert.ok(!response.rawPayload.includes(service.keys.authority.certificate.der));
});

test("a challenge is good once, and one nobody gave never", async (t) => {
  const service = await newService(t);
  const { id, nonce } = await start(service);
  const csr = await keepRequest();
  const proof = { token: toBase64(await tagged(nonce, csr)), csr: toBase64(csr) };
  assert.equal((await hand(service, id, proof)).statusCode, 200);
  assert.equal((await hand(service, id, proof)).statusCode, 403);
  assert.equal((await hand(service, crypto.randomUUID(), proof)).statusCode, 403);
});

test("a policy hash that is there must be one", async (t) => {
  const service = await newService(t);
  const { id, nonce } = await start(service);
  const csr = await otherRequest({}, filled(31, 1));
  const proof = { token: toBase64(await tagged(nonce, csr)), csr: toBase64(csr) };
  assert.equal((await hand(service, id, proof)).statusCode, 403);
});

test("400 for a form without token or request, or with broken base64", async (t) => {
  const service = await newService(t);
  const { id } = await start(service);
  for (const fields of [{ token: "AAAA" }, { csr: "AAAA" }, { token: "A", csr: "AAAA" }] as Record<
    string,
    string
  >[]) {
    const response = await hand(service, id, fields);
    assert.equal(response.statusCode, 400);
    assert.equal(response.json().code, "REQUEST_INVALID");
  }
});

test("400 for a form that does not end, 415 for no form", async (t) => {
  const { app } = await newService(t);
  const post = (type: string, payload: string) =>
    app.inject({
      method: "POST",
      url: "/proxy/v1/Nitro/x",
      headers: { "content-type": type },
      payload,
    });
  assert.equal((await post("multipart/form-data; boundary=b", "--b\r\nx")).statusCode, 400);
  assert.equal((await post("multipart/form-data", "--b")).statusCode, 415);
  assert.equal((await post("application/json", "{}")).statusCode, 415);
});

test("501 for a PSA token, whatever it says, and the challenge stays open", async (t) => {
  const service = await newService(t);
  const { id, nonce } = await start(service);
  const csr = await otherRequest({}, null);
  const signer = new Uint8Array(createHash("sha256").update(csr).digest());
  const component = cborWrite.map(
    [cborWrite.integer(1), cborWrite.text("ARoT")],
    [cborWrite.integer(2), cborWrite.bytes(filled(32, 7))],
    [cborWrite.integer(5), cborWrite.bytes(signer)],
  );
  const claims = { 10: cborWrite.bytes(nonce), 2399: cborWrite.array(component) };
  const { evidence } = newPsaToken({ claims });
  const fields = { token: toBase64(evidence), csr: toBase64(csr) };
  const response = await hand(service, id, fields, "PSA");
  assert.equal(response.statusCode, 501);
  assert.equal(response.json().code, "EVIDENCE_UNBOUND");
  assert.match(String(response.headers["content-type"]), /problem\+json/);
  const nitro = { token: toBase64(await tagged(nonce, csr)), csr: toBase64(csr) };
  assert.equal((await hand(service, id, nitro)).statusCode, 200);
});
