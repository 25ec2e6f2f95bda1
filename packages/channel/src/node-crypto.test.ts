// Node's cryptography answers what Web Cryptography answers, remembered or not.
import assert from "node:assert/strict";
import { constants, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { test } from "node:test";
import { type SignatureScheme, toHex, webCrypto } from "@holdfast/core";
import fc from "fast-check";
import { createNodeCrypto } from "./node-crypto.ts";

interface Signer {
  readonly scheme: SignatureScheme;
  readonly spki: Uint8Array;
  readonly sign: (data: Uint8Array) => Uint8Array;
}

function signer(
  scheme: SignatureScheme,
  { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject },
): Signer {
  const options = { key: privateKey } as Parameters<typeof sign>[2] & object;
  if (scheme.kind === "ecdsa") Object.assign(options, { dsaEncoding: "ieee-p1363" });
  if (scheme.kind === "rsa-pss") {
    const { saltLength } = scheme;
    Object.assign(options, { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
  }
  const algorithm = scheme.kind === "ed25519" ? null : scheme.hash.replace("-", "").toLowerCase();
  return {
    scheme,
    spki: new Uint8Array(publicKey.export({ type: "spki", format: "der" })),
    sign: (data) => new Uint8Array(sign(algorithm, data, options)),
  };
}

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve });
const SIGNERS: readonly Signer[] = [
  signer({ kind: "ecdsa", curve: "P-256", hash: "SHA-256" }, ec("P-256")),
  signer({ kind: "ecdsa", curve: "P-384", hash: "SHA-384" }, ec("P-384")),
  signer({ kind: "ecdsa", curve: "P-521", hash: "SHA-512" }, ec("P-521")),
  signer({ kind: "rsa-pkcs1", hash: "SHA-256" }, rsa),
  signer({ kind: "rsa-pss", hash: "SHA-384", saltLength: 48 }, rsa),
  signer({ kind: "ed25519" }, generateKeyPairSync("ed25519")),
];
const PORTS = [
  createNodeCrypto(),
  createNodeCrypto({ remembered: 0 }),
  createNodeCrypto({ remembered: 1 }),
];

test("digests are the same", async () => {
  const data = new TextEncoder().encode("holdfast");
  for (const name of ["SHA-1", "SHA-256", "SHA-384", "SHA-512"] as const) {
    const wanted = toHex(await webCrypto.digest(name, data));
    for (const port of PORTS) assert.equal(toHex(await port.digest(name, data)), wanted);
  }
});

test("signatures hold, and hold again, and not when anything is changed", async () => {
  const any = fc.constantFrom(...SIGNERS);
  const change = fc.constantFrom("nothing", "data", "signature", "key", "scheme", "length");
  await fc.assert(
    fc.asyncProperty(
      any,
      any,
      change,
      fc.uint8Array({ minLength: 1 }),
      fc.nat(),
      async (by, other, what, data, at) => {
        const signature = by.sign(data);
        const flipped = (bytes: Uint8Array) =>
          bytes.with(at % bytes.length, (bytes[at % bytes.length] ?? 0) ^ 1);
        const question = [
          what === "scheme" ? other.scheme : by.scheme,
          what === "key" ? other.spki : by.spki,
          what === "signature"
            ? flipped(signature)
            : what === "length"
              ? signature.subarray(1)
              : signature,
          what === "data" ? flipped(data) : data,
        ] as const;
        const wanted = await webCrypto.verify(...question);
        for (const port of PORTS) {
          assert.equal(await port.verify(by.scheme, by.spki, signature, data), true);
          assert.equal(await port.verify(...question), wanted, `${by.scheme.kind}, ${what}`);
          assert.equal(await port.verify(...question), wanted);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("keys that can't be read are signatures that do not hold", async () => {
  const [first] = SIGNERS;
  assert.ok(first !== undefined);
  for (const spki of [new Uint8Array(), new Uint8Array(91), first.spki.subarray(0, -1)]) {
    for (const port of PORTS) {
      assert.equal(
        await port.verify(first.scheme, spki, new Uint8Array(64), new Uint8Array(1)),
        false,
      );
    }
  }
});
