// Signed sets of reference values: made by an outside library, refused for each fault.
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { test } from "node:test";
import { CompactSign } from "jose";
import type { TrustError } from "../errors.ts";
import { readSignedSet, setSignerOf } from "./signed-set.ts";

const SET = {
  name: "keeps",
  type: "nitro",
  not_after: "2026-12-31T00:00:00Z",
  values: [{ name: "keep", claims: { "nonZeroPcrs.0": ["aa"] } }],
};

const KEYS = {
  ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  ES384: generateKeyPairSync("ec", { namedCurve: "P-384" }),
  EdDSA: generateKeyPairSync("ed25519"),
};
const SIGNERS = Object.values(KEYS).map(({ publicKey }) =>
  setSignerOf(publicKey.export({ type: "spki", format: "pem" }).toString()),
);

async function signed(
  payload: unknown = SET,
  alg: keyof typeof KEYS = "ES256",
  key: KeyObject = KEYS[alg].privateKey,
): Promise<string> {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  return await new CompactSign(new TextEncoder().encode(text))
    .setProtectedHeader({ alg })
    .sign(key);
}

function refused(jws: string, message: RegExp, signers = SIGNERS): void {
  assert.throws(
    () => readSignedSet(jws, signers),
    (error: TrustError) => error.code === "REQUEST_INVALID" && message.test(error.message),
  );
}

for (const alg of ["ES256", "ES384", "EdDSA"] as const) {
  test(`a set signed with ${alg} is read`, async () => {
    assert.deepEqual(readSignedSet(await signed(SET, alg), SIGNERS), SET);
  });
}

test("refused: a set signed by another key, or by none", async () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  refused(await signed(SET, "ES256", privateKey), /no configured key/);
  refused(await signed(), /no configured key/, []);
  const [, payload] = (await signed()).split(".");
  const header = Buffer.from('{"alg":"none"}').toString("base64url");
  refused(`${header}.${payload}.`, /no configured key/);
});

test("refused: a set changed after it was signed", async () => {
  const [header, , signature] = (await signed()).split(".");
  const other = Buffer.from(JSON.stringify({ ...SET, type: "tdx" })).toString("base64url");
  refused(`${header}.${other}.${signature}`, /no configured key/);
});

test("refused: the public key used as a shared secret, and an algorithm of another key", async () => {
  const header = Buffer.from('{"alg":"HS256"}').toString("base64url");
  const [, payload, signature] = (await signed()).split(".");
  refused(`${header}.${payload}.${signature}`, /no configured key/);
  const es384 = Buffer.from('{"alg":"ES384"}').toString("base64url");
  refused(`${es384}.${payload}.${signature}`, /no configured key/);
});

test("refused: critical header parameters", async () => {
  const header = Buffer.from('{"alg":"ES256","crit":["b64"]}').toString("base64url");
  const [, payload, signature] = (await signed()).split(".");
  refused(`${header}.${payload}.${signature}`, /critical/);
});

test("refused: what is no set, and what is no signed text", async () => {
  refused(await signed({ ...SET, values: [] }), /payload\/values/);
  refused(await signed("text"), /payload is no JSON object/);
  refused("", /header is no JSON object/);
  refused("a.b", /header/);
  refused(`${await signed()}.more`, /three parts/);
  refused((await signed()).replace(/\.[^.]+$/, ".*"), /signature is not base64url/);
});

test("keys of other kinds are not taken", () => {
  for (const { publicKey } of [
    generateKeyPairSync("rsa", { modulusLength: 2048 }),
    generateKeyPairSync("ec", { namedCurve: "secp256k1" }),
  ]) {
    assert.throws(() => setSignerOf(publicKey.export({ type: "spki", format: "pem" }).toString()));
  }
});
