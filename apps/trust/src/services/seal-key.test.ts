// What the service seals, an independent reading of RFC 7516 opens, and the keep's own code; nobody else does.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { makeReleaseRequest, openReleasedKey, parseReleaseRequest } from "@holdfast/channel";
import { ReleasedKey } from "@holdfast/contract";
import { flattenedDecrypt } from "jose";
import { Value } from "typebox/value";
import { sealKey } from "./seal-key.ts";

const KEY = Uint8Array.from(randomBytes(32));
const { bytes, privateKey } = makeReleaseRequest({ name: "model", policyText: "{}" });
const { recipient } = parseReleaseRequest(bytes);

test("jose and the keep open what is sealed, which is in the contract's words", async () => {
  const jwe = await sealKey(KEY, recipient);
  assert.ok(Value.Check(ReleasedKey, { jwe }));
  assert.deepEqual(openReleasedKey(privateKey, jwe), KEY);
  const { plaintext, protectedHeader } = await flattenedDecrypt(jwe, privateKey);
  assert.deepEqual(plaintext, KEY);
  assert.deepEqual(Object.keys(protectedHeader ?? {}).sort(), ["alg", "enc", "epk"]);
});

test("nothing is sealed alike twice, and nobody else opens it", async () => {
  const [one, two] = await Promise.all([sealKey(KEY, recipient), sealKey(KEY, recipient)]);
  for (const member of ["protected", "encrypted_key", "iv", "ciphertext", "tag"] as const) {
    assert.notEqual(one[member], two[member]);
  }
  const stranger = makeReleaseRequest({ name: "model", policyText: "{}" }).privateKey;
  await assert.rejects(flattenedDecrypt(one, stranger));
});
