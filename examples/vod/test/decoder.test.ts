// The decoder against ffmpeg, picture by picture, bit by bit.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { encrypted, SAMPLE } from "./encrypted-video.ts";
import { ffmpegHashes, frameHashes, readFramehash } from "./frame-hashes.ts";
import { runDetector } from "./guest.ts";
import { hasPeer, vector } from "./peer/peers.ts";

/** Streams of ffmpeg's test picture: what an encoder of constrained baseline may do. */
const ENCODINGS: Readonly<Record<string, readonly string[]>> = {
  "one picture": ["-frames:v", "1"],
  "intra only": ["-frames:v", "6", "-g", "1"],
  "odd size, cropped": ["-frames:v", "8", "-vf", "scale=318:186"],
  "smaller than a macroblock's multiple": ["-frames:v", "3", "-vf", "scale=34:50"],
  "several slices a picture": ["-frames:v", "8", "-x264-params", "slices=5"],
  "slices of bounded bytes": ["-frames:v", "6", "-x264-params", "slice-max-size=400"],
  "four reference pictures": ["-frames:v", "20", "-refs", "4", "-preset", "slow"],
  "no deblocking": ["-frames:v", "6", "-x264-params", "no-deblock=1"],
  "strong deblocking": ["-frames:v", "6", "-qp", "45", "-x264-params", "deblock=3,3"],
  "nearly lossless": ["-frames:v", "4", "-qp", "1"],
  "coarsest quantiser": ["-frames:v", "6", "-qp", "51"],
  "chroma quantiser offset": ["-frames:v", "6", "-x264-params", "chroma-qp-offset=-9"],
  "a new sequence in between": ["-frames:v", "20", "-g", "5"],
  "intra refresh": ["-frames:v", "20", "-x264-params", "intra-refresh=1:keyint=8"],
  "many reference pictures, small partitions": [
    "-frames:v",
    "24",
    "-refs",
    "16",
    "-preset",
    "placebo",
  ],
};

describe("H.264 decoder", () => {
  let directory = "";
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "holdfast-vod-decoder-"));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  test("decodes the sample as ffmpeg does", async (context) => {
    if (!hasPeer(context, "ffmpeg")) return;
    assert.deepEqual(await decode(SAMPLE), ffmpegHashes(SAMPLE));
  });

  for (const name of ["seq_1080p_constrained_baseline", "seq_180p_constrained_baseline"]) {
    test(`decodes ${name} to the given hashes`, async (context) => {
      const video = vector(context, "video", `${name}.h264`);
      const expected = vector(context, "expected", `${name}.h264.framehash`);
      if (video === undefined || expected === undefined) return;
      const hashes = await decode(video);
      assert.equal(hashes.length, 12);
      assert.deepEqual(hashes, readFramehash(readFileSync(expected, "utf8")));
    });
  }

  test("decodes the given encrypted video", async (context) => {
    const expected = vector(context, "expected", "seq_1080p_constrained_baseline.h264.framehash");
    const names = ["in_enc.h264", "key", "iv"] as const;
    const [video, key, iv] = names.map((name) => vector(context, "video", name));
    if (!expected || !video || !key || !iv) return;
    const files = {
      "/s3_app_input/in_enc.h264": readFileSync(video),
      "/user_input/key": readFileSync(key),
      "/user_input/iv": readFileSync(iv),
    };
    const { stdout } = await runDetector(files, ["--decode-only"]);
    assert.deepEqual(frameHashes(stdout), readFramehash(readFileSync(expected, "utf8")));
  });

  for (const [name, options] of Object.entries(ENCODINGS)) {
    test(`decodes as ffmpeg does: ${name}`, async (context) => {
      if (!hasPeer(context, "ffmpeg")) return;
      const file = join(directory, "video.h264");
      encode(file, options);
      const hashes = await decode(file);
      assert.ok(hashes.length > 0);
      assert.deepEqual(hashes, ffmpegHashes(file));
    });
  }
});

async function decode(file: string): Promise<string[]> {
  const outcome = await runDetector(encrypted(readFileSync(file)), ["--decode-only"]);
  assert.equal(outcome.exitCode, 0, outcome.stderr);
  return frameHashes(outcome.stdout);
}

function encode(file: string, options: readonly string[]): void {
  const { status, stderr } = spawnSync(
    "ffmpeg",
    [
      ...["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=320x192:rate=10"],
      ...["-pix_fmt", "yuv420p", "-c:v", "libx264", "-profile:v", "baseline", "-threads", "1"],
      ...[...options, "-f", "h264", file],
    ],
    { encoding: "utf8" },
  );
  assert.equal(status, 0, stderr);
}
