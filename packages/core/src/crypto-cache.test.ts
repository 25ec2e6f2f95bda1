// Remembered signatures: the same answer as without memory, asked once.
import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { type CryptoPort, rememberingCrypto, webCrypto } from "./index.ts";

const SCHEME = { kind: "ecdsa", curve: "P-256", hash: "SHA-256" } as const;
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const spki = new Uint8Array(publicKey.export({ type: "spki", format: "der" }));

function signed(text: string): { data: Uint8Array; signature: Uint8Array } {
  const data = new TextEncoder().encode(text);
  const signature = sign("sha256", data, { key: privateKey, dsaEncoding: "ieee-p1363" });
  return { data, signature: new Uint8Array(signature) };
}

function counting(): { port: CryptoPort; asked: () => number } {
  let count = 0;
  const port: CryptoPort = {
    digest: webCrypto.digest,
    verify: (...call) => {
      count += 1;
      return webCrypto.verify(...call);
    },
  };
  return { port, asked: () => count };
}

test("a signature that held is not verified again", async () => {
  const { port, asked } = counting();
  const crypto = rememberingCrypto(port);
  const { data, signature } = signed("a");
  for (let i = 0; i < 3; i += 1) assert.ok(await crypto.verify(SCHEME, spki, signature, data));
  assert.equal(asked(), 1);
});

test("a change of scheme, key, signature or data is verified on its own, and fails", async () => {
  const crypto = rememberingCrypto(webCrypto);
  const { data, signature } = signed("a");
  assert.ok(await crypto.verify(SCHEME, spki, signature, data));
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
  const otherSpki = new Uint8Array(other.export({ type: "spki", format: "der" }));
  const changed = signature.with(0, (signature[0] ?? 0) ^ 1);
  assert.ok(!(await crypto.verify({ ...SCHEME, hash: "SHA-384" }, spki, signature, data)));
  assert.ok(!(await crypto.verify(SCHEME, otherSpki, signature, data)));
  assert.ok(!(await crypto.verify(SCHEME, spki, changed, data)));
  assert.ok(!(await crypto.verify(SCHEME, spki, signature, signed("b").data)));
  // Bytes moved from one part to the next are another call.
  const shifted = new Uint8Array([...signature, data[0] ?? 0]);
  assert.ok(!(await crypto.verify(SCHEME, spki, shifted, data.subarray(1))));
});

test("failures are asked again every time", async () => {
  const { port, asked } = counting();
  const crypto = rememberingCrypto(port);
  const { signature } = signed("a");
  for (let i = 0; i < 2; i += 1) {
    assert.ok(!(await crypto.verify(SCHEME, spki, signature, signed("b").data)));
  }
  assert.equal(asked(), 2);
});

test("the signature used longest ago makes room", async () => {
  const { port, asked } = counting();
  const crypto = rememberingCrypto(port, 2);
  const [a, b, c] = [signed("a"), signed("b"), signed("c")];
  const verify = ({ signature, data }: typeof a) => crypto.verify(SCHEME, spki, signature, data);
  for (const each of [a, b, a, c, a]) await verify(each);
  assert.equal(asked(), 3);
  await verify(b);
  assert.equal(asked(), 4);
});
