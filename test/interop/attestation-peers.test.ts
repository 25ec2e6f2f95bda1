// The attestation service as outsiders see it: OpenSSL verifies the certificates it issues, a Python library reads its
// attestation results with nothing but the published keys.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import {
  createSimulatedNsm,
  openSimulatedAuthority,
  simulatedPcrs,
} from "../../packages/attester/src/index.ts";
import { newKeepKey } from "../../packages/channel/src/index.ts";
import { AttestationClient, fetchTransport } from "../../packages/contract/src/index.ts";
import { fromBase64, systemClock } from "../../packages/core/src/index.ts";
import { findProgram, skipWithout } from "../peers/peer.ts";

const MAIN = resolve(import.meta.dirname, "../../apps/trust/src/main.ts");
const openssl = findProgram("openssl");
// Debian's own interpreter has Debian's packages; the first in the path may be another.
const python = ["/usr/bin/python3", findProgram("python3")].find(
  (path) => path !== undefined && spawnSync(path, ["-c", "import jwt, cryptography"]).status === 0,
);

async function startService(t: TestContext): Promise<{ url: string; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-peers-"));
  const config = join(directory, "config.json");
  await openSimulatedAuthority(join(directory, "root"), systemClock);
  const listen = { host: "127.0.0.1", port: 0 };
  const simulated_root = "root/root.pem";
  await writeFile(config, JSON.stringify({ listen, data_dir: "data", simulated_root }));
  const child = spawn(process.execPath, [MAIN, "--config", config], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(async () => {
    child.kill("SIGKILL");
    await rm(directory, { recursive: true });
  });
  const url = await new Promise<string>((found, failed) => {
    child.once("exit", (code) => failed(new Error(`exit code ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const address = /Server listening at (http:\/\/[^"]+)/.exec(line)?.[1];
      if (address !== undefined) found(address);
    });
  });
  return { url, directory };
}

async function proofFor(url: string, directory: string) {
  const client = new AttestationClient(fetchTransport(url));
  const authority = await openSimulatedAuthority(join(directory, "root"), systemClock);
  const nsm = createSimulatedNsm({
    authority,
    pcrs: simulatedPcrs(new Uint8Array(48).fill(5)),
    moduleId: "i-peers-enc1",
    clock: systemClock,
  });
  const { challenge_id: challengeId, nonce } = await client.challenge();
  const { request: csr } = await newKeepKey(new Uint8Array(32).fill(6), "test");
  const userData = new Uint8Array(createHash("sha256").update(csr).digest());
  const evidence = await nsm.attest({ nonce: fromBase64(nonce), userData });
  return { client, challengeId, nonce, csr, evidence };
}

test("OpenSSL verifies an issued certificate under the authority, and not under another", {
  skip: skipWithout("openssl", [openssl]),
}, async (t) => {
  const { url, directory } = await startService(t);
  const { client, ...proof } = await proofFor(url, directory);
  const { chain_pem } = await client.certify(proof);
  const { certificate_pem } = await client.authority();
  const [leaf, authority] = [join(directory, "leaf.pem"), join(directory, "authority.pem")];
  await writeFile(leaf, chain_pem);
  await writeFile(authority, certificate_pem);
  const verify = (...args: string[]) =>
    spawnSync(openssl ?? "", ["verify", "-x509_strict", ...args, leaf], { encoding: "utf8" });
  const good = verify("-CAfile", authority);
  assert.equal(good.status, 0, good.stderr);
  const bad = verify("-CAfile", join(directory, "root/root.pem"), "-no-CApath");
  assert.notEqual(bad.status, 0);
  const text = spawnSync(openssl ?? "", ["x509", "-in", leaf, "-noout", "-text"], {
    encoding: "utf8",
  }).stdout;
  assert.match(text, /CA:FALSE/);
  assert.match(text, /Digital Signature/);
  assert.match(text, /DNS:ComputeEnclave\.dev/);
  assert.match(text, /2\.5\.30\.1/);
});

const READ_TOKEN = `
import json, sys, jwt
jwks = jwt.PyJWKSet.from_dict(json.load(open(sys.argv[1])))
token = open(sys.argv[2]).read()
kid = jwt.get_unverified_header(token)["kid"]
key = next(k for k in jwks.keys if k.key_id == kid)
print(json.dumps(jwt.decode(token, key.key, algorithms=["ES256"], issuer="holdfast-attestation")))
`;

test("a Python library reads an attestation result with the published keys", {
  skip: skipWithout("python3-jwt", [python]),
}, async (t) => {
  const { url, directory } = await startService(t);
  const { evidence, challengeId, nonce } = await proofFor(url, directory);
  const response = await fetch(`${url}/v1/appraisals`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      type: "nitro",
      evidence: evidence.toBase64(),
      challenge_id: challengeId,
    }),
  });
  const { token } = (await response.json()) as { token: string };
  const files = [
    join(directory, "jwks.json"),
    join(directory, "token"),
    join(directory, "read.py"),
  ];
  const [jwksFile = "", tokenFile = "", script = ""] = files;
  await writeFile(jwksFile, await (await fetch(`${url}/.well-known/jwks.json`)).text());
  await writeFile(tokenFile, token);
  await writeFile(script, READ_TOKEN);
  const read = () => spawnSync(python ?? "", [script, jwksFile, tokenFile], { encoding: "utf8" });
  const good = read();
  assert.equal(good.status, 0, good.stderr);
  const claims = JSON.parse(good.stdout);
  assert.equal(
    claims.eat_nonce,
    fromBase64(nonce).toBase64({ alphabet: "base64url", omitPadding: true }),
  );
  assert.equal(claims.submods.nitro.ear_attester_claims.simulated, true);
  await writeFile(tokenFile, token.slice(0, -4) + (token.endsWith("AAAA") ? "BBBB" : "AAAA"));
  assert.match(read().stderr, /InvalidSignatureError/);
});
