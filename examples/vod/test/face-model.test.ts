// The converted face model: the same bytes each time, and the same numbers as the original network.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { convertFaceModel } from "../model/convert-face-model.ts";
import { ModelError } from "../model/errors.ts";
import { faceNetwork } from "../model/face-network.ts";
import { readTensors } from "../model/tfjs-weights.ts";
import { originalOutputs } from "./original.ts";
import { referenceNetwork } from "./reference.ts";
import { seededRandom } from "./seeded-random.ts";

const SIZE = 416;
const CELLS = 13 * 13;
const ANCHORS = 5;
// Of the package at the version that package-lock.json pins. Labels are "face" and a line feed.
const SHA256 = {
  "coco.names": "98d57c25a2bed283c090bc2508078faff041262880bec9b6b744e6372d4a5f09",
  "yolov3.cfg": "1ef95564c9604d357c92d9f7d32026857031240911c988c6ef45f839b8150c46",
  "yolov3.weights": "977dca2358dd617ca5009ad82c91647e72a58e1bc3a9e1900a2d0f404044bc1b",
};

describe("face model", () => {
  let directory = "";
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "holdfast-vod-model-"));
    convertFaceModel(directory);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  test("is the same bytes as ever", () => {
    const made = Object.fromEntries(
      readdirSync(directory).map((name) => [name, sha256(readFileSync(join(directory, name)))]),
    );
    assert.deepEqual(made, SHA256);
  });

  test("gives the original's raw outputs", async () => {
    const rgb = blockyPicture();
    const original = await originalOutputs(rgb, SIZE);
    const network = referenceNetwork(
      readFileSync(join(directory, "yolov3.cfg"), "utf8"),
      readFileSync(join(directory, "yolov3.weights")),
    );
    const raw = network.run(planes(rgb)).at(-2)?.output.values ?? new Float32Array();
    assert.equal(original.length, CELLS * ANCHORS * 5);
    assert.equal(raw.length, CELLS * ANCHORS * 6);
    let worst = 0;
    for (let cell = 0; cell < CELLS; cell += 1) {
      for (let anchor = 0; anchor < ANCHORS; anchor += 1) {
        for (let value = 0; value < 5; value += 1) {
          const theirs = original[(cell * ANCHORS + anchor) * 5 + value]!;
          const ours = raw[(anchor * 6 + value) * CELLS + cell]!;
          worst = Math.max(worst, Math.abs(theirs - ours));
        }
        assert.equal(raw[(anchor * 6 + 5) * CELLS + cell], 0, "the class plane is empty");
      }
    }
    assert.ok(worst < 2e-4, `outputs differ by up to ${worst}`);
    assert.ok(Math.max(...original) - Math.min(...original) > 5, "the picture excites the network");
  });

  test("refuses a manifest of several files", () => {
    const manifest = JSON.stringify([{ paths: ["a", "b"], weights: [] }]);
    assert.throws(() => readTensors(manifest, new Uint8Array()), refusal("MODEL_MANIFEST"));
  });

  test("refuses a weights file outside its directory", () => {
    const manifest = JSON.stringify([{ paths: ["../a"], weights: [] }]);
    assert.throws(() => readTensors(manifest, new Uint8Array()), refusal("MODEL_MANIFEST"));
  });

  test("refuses a manifest that is not JSON", () => {
    assert.throws(() => readTensors("[", new Uint8Array()), refusal("MODEL_MANIFEST"));
  });

  test("refuses weights that are not quantised", () => {
    const manifest = JSON.stringify([{ paths: ["a"], weights: [{ name: "x", shape: [1] }] }]);
    assert.throws(() => readTensors(manifest, new Uint8Array(1)), refusal("MODEL_MANIFEST"));
  });

  test("refuses a weights file that is too short", () => {
    assert.throws(() => readTensors(oneTensor([4]), new Uint8Array(3)), refusal("MODEL_WEIGHTS"));
  });

  test("refuses a network without its tensors", () => {
    const tensors = readTensors(oneTensor([4]), new Uint8Array(4));
    assert.throws(() => faceNetwork(tensors, []), refusal("MODEL_WEIGHTS"));
  });

  test("dequantises as value = byte × scale + minimum", () => {
    const tensors = readTensors(oneTensor([2]), Uint8Array.of(0, 255));
    assert.deepEqual(tensors.get("x")?.values, Float32Array.of(-1, 255 * 0.5 - 1));
  });
});

function oneTensor(shape: readonly number[]): string {
  const quantization = { dtype: "uint8", scale: 0.5, min: -1 };
  return JSON.stringify([{ paths: ["a"], weights: [{ name: "x", shape, quantization }] }]);
}

/** Coloured blocks of many sizes: structure at each scale the network looks at. */
function blockyPicture(): Uint8Array {
  const random = seededRandom(7);
  const rgb = new Uint8Array(SIZE * SIZE * 3);
  for (let block = 0; block < 400; block += 1) {
    const size = 4 + Math.floor(120 * random() ** 2);
    const [left, top] = [Math.floor(random() * SIZE), Math.floor(random() * SIZE)];
    const colour = [random() * 255, random() * 255, random() * 255];
    for (let y = top; y < Math.min(SIZE, top + size); y += 1) {
      for (let x = left; x < Math.min(SIZE, left + size); x += 1)
        rgb.set(colour, (y * SIZE + x) * 3);
    }
  }
  return rgb;
}

function planes(rgb: Uint8Array): Float32Array {
  const count = rgb.length / 3;
  return Float32Array.from({ length: rgb.length }, (_, i) => {
    return (rgb[(i % count) * 3 + Math.floor(i / count)] ?? 0) / 255;
  });
}

function refusal(code: string): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof ModelError && thrown.code === code;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
