// A released key, opened: what jose seals our own code opens, and nothing that was changed.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { fromBase64Url, fromText, toBase64Url, toText } from "@holdfast/core";
import { FlattenedEncrypt, type FlattenedJWE } from "jose";
import { makeReleaseRequest, openReleasedKey, parseReleaseRequest } from "../index.ts";

const { bytes, privateKey } = makeReleaseRequest({ name: "model", policyText: "{}" });
const { recipient } = parseReleaseRequest(bytes);
const KEY = Uint8Array.from(randomBytes(32));

function sealed(change: (jwe: FlattenedEncrypt) => FlattenedEncrypt = (jwe) => jwe, key = KEY) {
  const jwe = new FlattenedEncrypt(key).setProtectedHeader({
    alg: "ECDH-ES+A256KW",
    enc: "A256GCM",
  });
  return change(jwe).encrypt(recipient);
}

test("what jose seals is opened", async () => {
  assert.deepEqual(openReleasedKey(privateKey, await sealed()), KEY);
});

function flipped(text: string): string {
  const bits = fromBase64Url(text);
  bits[0] = (bits[0] ?? 0) ^ 1;
  return toBase64Url(bits);
}

function withHeader(jwe: FlattenedJWE, change: object): FlattenedJWE {
  const header = JSON.parse(toText(fromBase64Url(jwe.protected ?? "")));
  return { ...jwe, protected: toBase64Url(fromText(JSON.stringify({ ...header, ...change }))) };
}

const BAD: readonly (readonly [name: string, make: () => Promise<unknown>])[] = [
  ["nothing", async () => undefined],
  ["a text", async () => "jwe"],
  ["a member missing", async () => ({ ...(await sealed()), tag: undefined })],
  ["a member more", async () => ({ ...(await sealed()), unprotected: {} })],
  ["a changed ciphertext", async () => change("ciphertext")],
  ["a changed tag", async () => change("tag")],
  ["a changed nonce", async () => change("iv")],
  ["a changed wrapped key", async () => change("encrypted_key")],
  ["a cut tag", async () => ({ ...(await sealed()), tag: toBase64Url(randomBytes(12)) })],
  ["a key of 16 bytes", () => sealed((jwe) => jwe, Uint8Array.from(randomBytes(16)))],
  ["another algorithm", async () => withHeader(await sealed(), { alg: "ECDH-ES" })],
  ["another cipher", async () => withHeader(await sealed(), { enc: "A128GCM" })],
  ["compression", async () => withHeader(await sealed(), { zip: "DEF" })],
  ["party information", async () => sealed((jwe) => jwe.setKeyManagementParameters({ apu: KEY }))],
  ["a header of great length", async () => withHeader(await sealed(), { alg: "x".repeat(1024) })],
  [
    "a sender's key off the curve",
    async () => {
      const zero = toBase64Url(new Uint8Array(32));
      return withHeader(await sealed(), { epk: { kty: "EC", crv: "P-256", x: zero, y: zero } });
    },
  ],
];

async function change(name: "ciphertext" | "tag" | "iv" | "encrypted_key"): Promise<FlattenedJWE> {
  const jwe = await sealed();
  return { ...jwe, [name]: flipped(jwe[name] ?? "") };
}

for (const [name, make] of BAD) {
  test(`not opened: ${name}`, async () => {
    const jwe = await make();
    assert.throws(() => openReleasedKey(privateKey, jwe), { code: "KEY_ANSWER_UNREADABLE" });
  });
}

test("not opened: a key for another request", async () => {
  const other = makeReleaseRequest({ name: "model", policyText: "{}" });
  const jwe = await sealed();
  assert.throws(() => openReleasedKey(other.privateKey, jwe), { code: "KEY_ANSWER_UNREADABLE" });
});
