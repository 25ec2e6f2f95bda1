// Tokens that an independent library issues are taken by the control plane: PyJWT signs, and writes its own key set.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { parseKeySet } from "../../apps/control/src/access/key-set.ts";
import { hasRole } from "../../apps/control/src/access/principal.ts";
import { ALGORITHMS } from "../../apps/control/src/access/token-rules.ts";
import { verifyToken } from "../../apps/control/src/access/token-verifier.ts";
import { systemClock } from "../../packages/core/src/index.ts";
import { findProgram, skipWithout } from "../peers/peer.ts";

// Debian's own interpreter has Debian's packages; the first in the path may be another.
const python = ["/usr/bin/python3", findProgram("python3")].find(
  (path) => path !== undefined && spawnSync(path, ["-c", "import jwt, cryptography"]).status === 0,
);

const ISSUE = `
import json, sys, time, jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms
claims = {"iss": "https://issuer.example", "aud": ["holdfast", "other"], "sub": "alice",
          "nbf": int(time.time()), "exp": int(time.time()) + 300,
          "holdfast_namespaces": {"blue": ["user"]}}
made = []
for alg, key in [("RS256", rsa.generate_private_key(65537, 2048)), ("PS384", rsa.generate_private_key(65537, 3072)),
                 ("ES256", ec.generate_private_key(ec.SECP256R1())), ("ES384", ec.generate_private_key(ec.SECP384R1())),
                 ("EdDSA", ed25519.Ed25519PrivateKey.generate())]:
    jwk = json.loads(get_default_algorithms()[alg].to_jwk(key.public_key()))
    jwk.update({"kid": alg, "use": "sig"})
    made.append({"alg": alg, "jwk": jwk,
                 "token": jwt.encode(claims, key, algorithm=alg, headers={"kid": alg}),
                 "late": jwt.encode({**claims, "exp": int(time.time()) - 60}, key, algorithm=alg, headers={"kid": alg})})
print(json.dumps(made))
`;

interface Made {
  readonly alg: string;
  readonly jwk: object;
  readonly token: string;
  readonly late: string;
}

test("PyJWT's tokens are taken, by every kind of key, and refused when they have expired", {
  skip: skipWithout("python3-jwt", [python]),
}, async () => {
  const { stdout, stderr, status } = spawnSync(python ?? "", ["-c", ISSUE], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const made: Made[] = JSON.parse(stdout);
  const keys = parseKeySet(JSON.stringify({ keys: made.map(({ jwk }) => jwk) }));
  const rules = {
    issuer: "https://issuer.example",
    audience: ["holdfast"],
    algorithms: ALGORITHMS,
    namespacesClaim: "holdfast_namespaces",
    nameClaim: "sub",
  };
  assert.equal(made.length, 5);
  for (const { alg, token, late } of made) {
    const principal = await verifyToken(token, keys, rules, systemClock);
    assert.equal(principal.name, "alice", alg);
    assert.ok(hasRole(principal, "user", "blue") && !hasRole(principal, "user", "default"));
    await assert.rejects(verifyToken(late, keys, rules, systemClock), { code: "ERR_JWT_EXPIRED" });
  }
});
