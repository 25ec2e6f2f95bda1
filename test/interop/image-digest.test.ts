// osslsigncode over the same images: the digest that it signs, and finds again, is the one we compute.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { toHex, toPem, webCrypto } from "../../packages/core/src/index.ts";
import { imageDigest } from "../../packages/evidence/src/index.ts";
import { newParty, peImage } from "../../packages/testkit/src/index.ts";
import { findProgram, skipWithout } from "../peers/peer.ts";

const signer = findProgram("osslsigncode");
const PEER = { skip: skipWithout("osslsigncode", [signer]) };

test("images measure as osslsigncode says, signed and not", PEER, async () => {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-image-"));
  const file = (name: string): string => join(directory, name);
  const run = (...args: string[]): string => {
    const { stdout, stderr } = spawnSync(signer ?? "", args, { encoding: "utf8" });
    return stdout + stderr;
  };
  try {
    const party = await newParty({ name: { CN: "signer" }, kind: "rsa2048" });
    await writeFile(file("certificate"), toPem("CERTIFICATE", party.certificate.der));
    const key = party.privateKey.export({ type: "pkcs8", format: "pem" });
    await writeFile(file("key"), key);
    const image = peImage(new Uint8Array(40).fill(7));
    await writeFile(file("image"), image);
    for (const [name, hash] of [
      ["sha256", "SHA-256"],
      ["sha384", "SHA-384"],
    ] as const) {
      const output = file(`signed-${name}`);
      const keys = ["-certs", file("certificate"), "-key", file("key")];
      const said = run("sign", "-h", name, ...keys, "-in", file("image"), "-out", output);
      assert.match(said, /Succeeded/);
      const theirs = /Calculated message digest *: *([0-9A-F]+)/.exec(run("verify", "-in", output));
      assert.ok(theirs);
      for (const bytes of [image, new Uint8Array(await readFile(output))]) {
        const ours = toHex(await imageDigest(bytes, hash, webCrypto));
        assert.equal(ours, theirs[1]?.toLowerCase());
      }
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});
