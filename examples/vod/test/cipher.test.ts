// The program's AES-128-CTR against node:crypto and openssl, by the pictures that come out of what they encrypted.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { encrypted, SAMPLE } from "./encrypted-video.ts";
import { frameHashes } from "./frame-hashes.ts";
import { runDetector } from "./guest.ts";
import { hasPeer } from "./peer/peers.ts";

const video = readFileSync(SAMPLE);

describe("AES-128-CTR", () => {
  test("counts across every byte of the counter", async () => {
    const plain = await hashes({ iv: new Uint8Array(16) }, 1);
    assert.equal(plain.length, 1);
    for (let carried = 1; carried <= 16; carried += 1) {
      // The last `carried` bytes are all ones: the second block carries into the byte before them.
      const iv = new Uint8Array(16).fill(0xff, 16 - carried);
      assert.deepEqual(await hashes({ iv }, 1), plain, `carry over ${carried} bytes`);
    }
  });

  test("decrypts under random keys", async () => {
    const plain = await hashes({}, 1);
    for (let round = 0; round < 16; round += 1) {
      const [key, iv] = [randomBytes(16), randomBytes(16)];
      const what = `key ${key.toString("hex")}, iv ${iv.toString("hex")}`;
      assert.deepEqual(await hashes({ key, iv }, 1), plain, what);
    }
  });

  test("decrypts what openssl encrypted", async (context) => {
    if (!hasPeer(context, "openssl", "version")) return;
    const [key, iv] = [randomBytes(16), randomBytes(16)];
    const args = ["enc", "-aes-128-ctr", "-K", key.toString("hex"), "-iv", iv.toString("hex")];
    const { status, stdout } = spawnSync("openssl", args, { input: video, maxBuffer: 1 << 26 });
    assert.equal(status, 0);
    const files = { ...encrypted(video, { key, iv }), "/s3_app_input/in_enc.h264": stdout };
    const outcome = await runDetector(files, ["--decode-only"]);
    assert.deepEqual(frameHashes(outcome.stdout), await hashes({}));
  });
});

async function hashes(
  secret: { key?: Uint8Array; iv?: Uint8Array },
  pictures = 12,
): Promise<string[]> {
  const args = ["--decode-only", "--frames", `0:${pictures}`];
  const outcome = await runDetector(encrypted(video, secret), args);
  assert.equal(outcome.exitCode, 0, outcome.stderr);
  return frameHashes(outcome.stdout);
}
