// Wrong inputs, each by the fault: the program ends by itself with its exit code for that fault and one clear sentence,
// and leaves no detections behind.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { convertFaceModel } from "../model/convert-face-model.ts";
import { encrypted, modelIn, SAMPLE } from "./encrypted-video.ts";
import { runDetector } from "./guest.ts";
import type { GuestFiles, GuestOutcome } from "./host.ts";
import { vector } from "./peer/peers.ts";
import { seededRandom } from "./seeded-random.ts";

const EXIT = {
  usage: 2,
  input: 3,
  memory: 4,
  notVideo: 5,
  unsupported: 6,
  damaged: 7,
  network: 8,
  weights: 9,
  labels: 10,
} as const;

const video = new Uint8Array(readFileSync(SAMPLE));
const WEIGHTS = "/program_data/yolov3.weights";
const NETWORK = "/program_data/yolov3.cfg";
const LABELS = "/program_data/coco.names";
const VIDEO = "/s3_app_input/in_enc.h264";
const KEY = "/user_input/key";
const IV = "/user_input/iv";

let files: GuestFiles = {};
let directory = "";
before(() => {
  directory = mkdtempSync(join(tmpdir(), "holdfast-vod-wrong-"));
  convertFaceModel(directory);
  files = { ...encrypted(video), ...modelIn(directory) };
});
after(() => rmSync(directory, { recursive: true, force: true }));

describe("wrong videos", () => {
  test("High profile", async () => {
    await refused(
      encrypted(withProfile(100)),
      EXIT.unsupported,
      /High profile \(profile_idc 100\)/,
    );
  });

  test("Main profile", async () => {
    await refused(encrypted(withProfile(77)), EXIT.unsupported, /Main profile/);
  });

  for (const name of ["one_frame_1080p_high", "seq_1080p_high_bframes"]) {
    test(`${name} of the vectors`, async (context) => {
      const file = vector(context, "video", `${name}.h264`);
      if (file === undefined) return;
      await refused(encrypted(readFileSync(file)), EXIT.unsupported, /High profile.*ffmpeg/);
    });
  }

  test("cut in the middle of a picture", async () => {
    await refused(encrypted(video.subarray(0, 100_000)), EXIT.damaged, /damaged|breaks off/);
  });

  test("cut in the middle of its first picture", async () => {
    await refused(encrypted(video.subarray(0, 5000)), EXIT.damaged, /damaged|breaks off/);
  });

  test("cut after its parameter sets", async () => {
    await refused(encrypted(video.subarray(0, 40)), EXIT.damaged, /damaged|no picture|breaks off/);
  });

  test("without its beginning", async () => {
    const second = indexOfStartCode(video, 40);
    await refused(encrypted(video.subarray(second)), EXIT.notVideo, /parameter sets/);
  });

  test("empty", async () => {
    await refused(encrypted(new Uint8Array()), EXIT.notVideo, /empty/);
  });

  test("of one byte", async () => {
    await refused(encrypted(Uint8Array.of(0)), EXIT.notVideo, /key|H\.264/);
  });

  test("no video at all", async () => {
    const text = Buffer.from("this is a letter, not a video\n".repeat(1000));
    await refused(encrypted(text), EXIT.notVideo, /H\.264/);
  });

  test("not encrypted", async () => {
    await refused({ [VIDEO]: video }, EXIT.notVideo, /decryption failed/);
  });

  test("flipped bits never crash the decoder", async () => {
    const random = seededRandom(11);
    const seen = new Set<number>();
    for (let round = 0; round < 40; round += 1) {
      const changed = new Uint8Array(video.subarray(0, 120_000));
      for (let flips = 1 + Math.floor(random() * 20); flips > 0; flips -= 1) {
        const at = Math.floor(random() * (round % 2 === 0 ? 200 : changed.length));
        changed[at] = (changed[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      }
      // The runner throws when the program traps.
      const { exitCode, stderr } = await runDetector({ ...files, ...encrypted(changed) }, [
        "--decode-only",
      ]);
      const known: readonly number[] = [0, EXIT.notVideo, EXIT.unsupported, EXIT.damaged];
      assert.ok(known.includes(exitCode), `round ${round}: ${exitCode} ${stderr}`);
      seen.add(exitCode);
    }
    assert.ok(seen.size > 1, "damage is noticed");
  });
});

describe("a stream of another profile", () => {
  test("is decoded when it says that it obeys constrained baseline too", async () => {
    const changed = withProfile(77);
    changed[6] = 0xc0;
    const outcome = await runDetector({ ...files, ...encrypted(changed) }, ["--decode-only"]);
    assert.equal(outcome.exitCode, 0, outcome.stderr);
  });
});

describe("wrong secrets", () => {
  test("another key", async () => {
    await refused({ [KEY]: new Uint8Array(16).fill(7) }, EXIT.notVideo, /key or the iv is wrong/);
  });

  test("another iv", async () => {
    await refused({ [IV]: new Uint8Array(16).fill(7) }, EXIT.notVideo, /key or the iv is wrong/);
  });

  for (const length of [0, 15, 17, 32]) {
    test(`a key of ${length} bytes`, async () => {
      const outcome = await refused({ [KEY]: new Uint8Array(length) }, EXIT.input, /16/);
      assert.match(outcome.stderr, /\/user_input\/key/);
    });

    test(`an iv of ${length} bytes`, async () => {
      const outcome = await refused({ [IV]: new Uint8Array(length) }, EXIT.input, /16/);
      assert.match(outcome.stderr, /\/user_input\/iv/);
    });
  }
});

describe("missing files", () => {
  for (const name of [VIDEO, KEY, IV, LABELS, NETWORK, WEIGHTS]) {
    test(name, async () => {
      const { [name]: _, ...rest } = files;
      const outcome = await runDetector(rest);
      assertRefused(outcome, EXIT.input, new RegExp(name));
    });
  }
});

describe("wrong weights", () => {
  const weights = () => new Uint8Array(files[WEIGHTS] ?? []);

  test("one float short", async () => {
    await refused({ [WEIGHTS]: weights().subarray(0, -4) }, EXIT.weights, /wrong size/);
  });

  test("one float long", async () => {
    await refused({ [WEIGHTS]: joined(weights(), new Uint8Array(4)) }, EXIT.weights, /wrong size/);
  });

  test("one byte short", async () => {
    await refused({ [WEIGHTS]: weights().subarray(0, -1) }, EXIT.weights, /wrong size/);
  });

  test("empty", async () => {
    await refused({ [WEIGHTS]: new Uint8Array() }, EXIT.weights, /too short/);
  });

  test("header alone", async () => {
    await refused({ [WEIGHTS]: weights().subarray(0, 20) }, EXIT.weights, /wrong size/);
  });

  for (const [name, value] of Object.entries({ "not a number": Number.NaN, infinite: Infinity })) {
    test(`a weight that is ${name}`, async () => {
      const changed = weights();
      new DataView(changed.buffer).setFloat32(20 + 4 * 1000, value, true);
      await refused({ [WEIGHTS]: changed }, EXIT.weights, /no finite number/);
    });
  }

  test("of another format", async () => {
    await refused({ [WEIGHTS]: Buffer.from("PK".repeat(300_000)) }, EXIT.weights, /version/);
  });
});

describe("wrong networks", () => {
  const text = () => Buffer.from(files[NETWORK] ?? []).toString("utf8");
  const changes: Readonly<Record<string, [RegExp | string, string]>> = {
    "an unknown layer": ["[maxpool]", "[lstm]"],
    "an unknown activation": ["activation=leaky", "activation=gelu"],
    "no network section": ["[net]", "[maxpool]"],
    "a line that is no option": ["stride=2", "stride 2"],
    "a size that is no number": ["width=416", "width=four"],
    "a size of nothing": ["width=416", "width=0"],
    "a negative size": ["width=416", "width=-416"],
    "a huge size": ["width=416", "width=99999999"],
    "filters beyond any memory": ["filters=16", "filters=2147483647"],
    "groups that do not divide": ["groups=16", "groups=7"],
    "classes that do not fit": ["classes=1", "classes=3"],
    "anchors that do not fit": ["num=5", "num=4"],
    "an anchor that is no number": ["1.603231", "wide"],
    "a route to nowhere": [/\[region\][\s\S]*$/, "[route]\nlayers=99\n"],
    "nothing that detects": [/\[region\][\s\S]*$/, ""],
  };

  for (const [name, [from, to]] of Object.entries(changes)) {
    test(name, async () => {
      const changed = text().replace(from, to);
      assert.notEqual(changed, text());
      await refused({ [NETWORK]: Buffer.from(changed) }, EXIT.network, /./);
    });
  }

  test("empty", async () => {
    await refused({ [NETWORK]: new Uint8Array() }, EXIT.network, /no section/);
  });

  test("garbage", async () => {
    const random = seededRandom(3);
    for (let round = 0; round < 20; round += 1) {
      const bytes = Uint8Array.from({ length: 2000 }, () => Math.floor(random() * 256));
      await refused({ [NETWORK]: bytes }, EXIT.network, /./);
    }
  });

  test("more memory than the policy grants", async () => {
    const convolution = "[convolutional]\nfilters=64\nsize=3\npad=1\nactivation=leaky\n";
    const network = [
      "[net]\nwidth=2048\nheight=2048\nchannels=3\n",
      convolution,
      convolution,
      "[convolutional]\nfilters=6\nsize=1\nactivation=linear\n",
      "[yolo]\nmask=0\nanchors=9,9\nclasses=1\nnum=1\n",
    ].join("\n");
    const weights = new Uint8Array(20 + 4 * (64 * 28 + 64 * (64 * 9 + 1) + 6 * 65));
    new DataView(weights.buffer).setInt32(4, 2, true);
    const changed = { [NETWORK]: Buffer.from(network), [WEIGHTS]: weights };
    await refused(changed, EXIT.memory, /memory/);
  });
});

describe("wrong labels", () => {
  test("none", async () => {
    await refused({ [LABELS]: new Uint8Array() }, EXIT.labels, /0 names, the network has 1/);
  });

  test("too many", async () => {
    await refused({ [LABELS]: Buffer.from("face\ncat\n") }, EXIT.labels, /2 names/);
  });

  test("with a control character", async () => {
    await refused({ [LABELS]: Buffer.from("fa\u001bce\n") }, EXIT.labels, /control character/);
  });

  test("with a NUL byte", async () => {
    await refused({ [LABELS]: Buffer.from("fa\0ce\n") }, EXIT.labels, /NUL/);
  });
});

describe("wrong arguments", () => {
  for (const args of [
    ["--unknown"],
    ["--frames"],
    ["--frames", "1"],
    ["--frames", "-1:2"],
    ["--frames", "0:0"],
    ["--threshold", "2"],
    ["--threshold", "nan"],
    ["--quality", "101"],
    ["stray"],
  ]) {
    test(args.join(" "), async () => {
      assertRefused(await runDetector(files, args), EXIT.usage, /./);
    });
  }

  test("pictures that the video does not have", async () => {
    assertRefused(await runDetector(files, ["--frames", "12:1"]), EXIT.usage, /has 12/);
  });
});

async function refused(
  changed: GuestFiles,
  exitCode: number,
  message: RegExp,
): Promise<GuestOutcome> {
  const outcome = await runDetector({ ...files, ...changed });
  assertRefused(outcome, exitCode, message);
  return outcome;
}

function assertRefused(outcome: GuestOutcome, exitCode: number, message: RegExp): void {
  const reason = outcome.stderr.split("\n").filter((line) => line.startsWith("detector: "));
  assert.equal(reason.length, 1, `one reason is given: ${outcome.stderr}`);
  assert.match(reason[0] ?? "", message);
  assert.equal(outcome.exitCode, exitCode, outcome.stderr);
  assert.ok(!outcome.outputs.has("/output/detections.json"), "no detections are written");
}

/** The sample with another profile in its sequence parameter set, its first unit, and without the word of obeying baseline. */
function withProfile(profile: number): Uint8Array {
  const changed = new Uint8Array(video);
  assert.deepEqual([...changed.subarray(0, 6)], [0, 0, 0, 1, 0x67, 66]);
  changed[5] = profile;
  changed[6] = 0;
  return changed;
}

function indexOfStartCode(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1) at += 1;
  return at;
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([left, right]));
}
