// The benchmark measures what it says: the published networks, and the stages that the program prints.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { largestDifference } from "../../examples/vod/test/compare.ts";
import { layersOf } from "../../examples/vod/test/engine-layers.ts";
import { buildDarknet, runDarknet } from "../../examples/vod/test/peer/darknet.ts";
import { withoutPeer } from "../../examples/vod/test/peer/peers.ts";
import {
  randomInput,
  randomWeights,
  weightsBytes,
} from "../../examples/vod/test/random-network.ts";
import { referenceShapes } from "../../examples/vod/test/reference-shapes.ts";
import { modelFiles } from "./measure-network.ts";
import { fullNetwork, tinyNetwork } from "./networks.ts";
import { readStages } from "./stages.ts";

// Both keep 32-bit sums, in different orders.
const TOLERANCE = 1e-4;

const PRINTED = {
  stdout: [
    "Arguments loaded and network parsed: 0.449878 seconds",
    "Image normalized and resized: 0.067714 seconds",
    "Prediction duration: 0.773984 seconds",
    "Write duration: 0.074901 seconds",
    "Image normalized and resized: 9.000000 seconds",
    "Finished decoding: 1.019139 seconds\n",
  ].join("\n"),
  stderr: "iWidth:     1920\ndecode time:    0.098741 sec\n",
};

describe("benchmark of the detector", () => {
  for (const { name, network, layers, billions, bytes } of [
    { name: "YOLOv3-tiny", network: tinyNetwork(), layers: 24, billions: 5.565, bytes: 35_434_956 },
    { name: "YOLOv3", network: fullNetwork(), layers: 107, billions: 65.864, bytes: 248_007_048 },
  ]) {
    test(`${name} has its published shape`, () => {
      const shapes = referenceShapes(network);
      const operations = shapes.reduce((sum, { width, height, convolution }) => {
        const each = convolution ? convolution.filters * convolution.inputs : 0;
        return sum + 2 * each * width * height;
      }, 0);
      assert.equal(shapes.length, layers);
      assert.equal((operations / 1e9).toFixed(3), billions.toFixed(3));
      assert.equal(weightsBytes(network), bytes);
    });
  }

  test("engine and native darknet compute the same on YOLOv3-tiny", async (context) => {
    const darknet = buildDarknet();
    if (darknet.kind === "absent") return withoutPeer(context, `darknet: ${darknet.reason}`);
    const [network, directory] = [tinyNetwork(), mkdtempSync(join(tmpdir(), "holdfast-bench-"))];
    const files = { configuration: join(directory, "cfg"), weights: join(directory, "weights") };
    try {
      const weights = randomWeights(network, 4);
      writeFileSync(files.configuration, network);
      writeFileSync(files.weights, weights);
      const input = randomInput({ width: 416, height: 416, channels: 3 }, 4);
      const theirs = runDarknet(darknet.program, files, input).layers;
      const ours = await layersOf(modelFiles(network, weights), input);
      assert.equal(ours.length, theirs.length);
      for (const index of [15, 22]) {
        const difference = largestDifference(theirs[index]!, ours[index]!);
        assert.ok(difference < TOLERANCE, `layer ${index} differs by ${difference}`);
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test("reads the stages of the first picture", () => {
    assert.deepEqual(readStages(PRINTED), {
      load: 0.449878,
      decode: 0.098741,
      resize: 0.067714,
      predict: 0.773984,
      write: 0.074901,
      whole: 1.019139,
    });
  });

  test("notices a stage that is not printed", () => {
    assert.throws(() => readStages({ ...PRINTED, stderr: "" }), /decode time/);
  });
});
