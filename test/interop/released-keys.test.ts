// Released keys in the hands of an independent library: jwcrypto opens what the attestation service seals, and the keep opens what
// jwcrypto seals.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { sealKey } from "../../apps/trust/src/services/seal-key.ts";
import {
  makeReleaseRequest,
  openReleasedKey,
  parseReleaseRequest,
} from "../../packages/channel/src/index.ts";
import { findProgram, skipWithout } from "../peers/peer.ts";

// Debian's own interpreter has Debian's packages; the first in the path may be another.
const python = ["/usr/bin/python3", findProgram("python3")].find(
  (path) => path !== undefined && spawnSync(path, ["-c", "import jwcrypto"]).status === 0,
);
const skip = skipWithout("python3-jwcrypto", [python]);
const KEY = Uint8Array.from(randomBytes(32));
const { bytes, privateKey } = makeReleaseRequest({ name: "model", policyText: "{}" });
const { recipient } = parseReleaseRequest(bytes);

const OPEN = `
import json, sys
from jwcrypto import jwe, jwk
given = json.load(sys.stdin)
token = jwe.JWE()
token.deserialize(json.dumps(given["jwe"]), key=jwk.JWK(**given["key"]))
print(json.dumps({"payload": token.payload.hex()}))
`;
const SEAL = `
import json, sys
from jwcrypto import jwe, jwk
given = json.load(sys.stdin)
header = json.dumps({"alg": "ECDH-ES+A256KW", "enc": "A256GCM"})
token = jwe.JWE(bytes.fromhex(given["payload"]), protected=header, recipient=jwk.JWK(**given["key"]))
# As one text: what agrees on the key is in the protected header then, where it belongs.
names = ["protected", "encrypted_key", "iv", "ciphertext", "tag"]
print(json.dumps(dict(zip(names, token.serialize(compact=True).split(".")))))
`;

function ask(script: string, given: object): Record<string, unknown> {
  const { stdout, stderr, status } = spawnSync(python ?? "", ["-c", script], {
    encoding: "utf8",
    input: JSON.stringify(given),
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

test("jwcrypto opens what the service seals", { skip }, async () => {
  const jwe = await sealKey(KEY, recipient);
  const key = privateKey.export({ format: "jwk" });
  assert.equal(ask(OPEN, { jwe, key })["payload"], KEY.toHex());
});

test("the keep opens what jwcrypto seals, and nothing of another algorithm", { skip }, () => {
  const key = recipient.export({ format: "jwk" });
  const jwe = ask(SEAL, { key, payload: KEY.toHex() });
  assert.deepEqual(openReleasedKey(privateKey, jwe), KEY);
  const code = "KEY_ANSWER_UNREADABLE";
  const direct = SEAL.replace("ECDH-ES+A256KW", "ECDH-ES");
  assert.throws(() => openReleasedKey(privateKey, ask(direct, { key, payload: KEY.toHex() })), {
    code,
  });
  const shorter = SEAL.replace("A256GCM", "A128GCM");
  assert.throws(() => openReleasedKey(privateKey, ask(shorter, { key, payload: KEY.toHex() })), {
    code,
  });
});
