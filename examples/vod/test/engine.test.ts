// The inference engine against the naive reference, layer by layer.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { convertFaceModel } from "../model/convert-face-model.ts";
import { largestDifference } from "./compare.ts";
import { modelIn } from "./encrypted-video.ts";
import { layersOf } from "./engine-layers.ts";
import type { GuestFiles } from "./host.ts";
import { buildDarknet, runDarknet } from "./peer/darknet.ts";
import { vector, withoutPeer } from "./peer/peers.ts";
import { randomConfiguration } from "./random-config.ts";
import { randomInput, randomWeights } from "./random-network.ts";
import { type ReferenceLayer, referenceNetwork } from "./reference.ts";

const NETWORKS = 60;
// The engine keeps 32-bit sums in an order of its own. Rounding adds up over the 131 layers of the trained networks,
// whose normalisation divides by small variances.
const TOLERANCE = 5e-5;
const DEEP_TOLERANCE = 1e-3;
const KINDS = ["convolutional", "maxpool", "upsample", "route", "shortcut", "dropout"];

describe("inference engine", () => {
  let directory = "";
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "holdfast-vod-engine-"));
    convertFaceModel(directory);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  test("agrees with the reference on every layer of random networks", async () => {
    const seen = new Map<string, number>();
    for (let seed = 1; seed <= NETWORKS; seed += 1) {
      const configuration = randomConfiguration(seed, { newer: true });
      const weights = randomWeights(configuration, seed);
      const layers = await compare(modelOf(configuration, weights), `seed ${seed}`);
      for (const { kind } of layers) seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }
    for (const kind of KINDS) assert.ok((seen.get(kind) ?? 0) >= 10, `${kind} was hardly tried`);
  });

  for (const [name, size] of Object.entries({
    wide: [97, 33],
    tall: [31, 97],
    large: [160, 160],
  })) {
    test(`agrees on convolutions of a ${name} picture at every edge of its blocks`, async () => {
      const [width = 0, height = 0] = size;
      const layers = [5, 8, 9, 12, 33].map((filters, i) => {
        const size = [3, 1, 3, 5, 3][i];
        const text = `filters=${filters}\nsize=${size}\nstride=${i === 2 ? 2 : 1}\npad=1`;
        return `[convolutional]\nbatch_normalize=1\n${text}\nactivation=leaky\n`;
      });
      const net = `[net]\nwidth=${width}\nheight=${height}\nchannels=3\n`;
      const last = "[convolutional]\nfilters=6\nsize=1\nactivation=linear\n";
      const head = "[yolo]\nmask=0\nanchors=9,9\nclasses=1\nnum=1\n";
      const configuration = [net, ...layers, last, head].join("\n");
      await compare(modelOf(configuration, randomWeights(configuration, 3)), configuration);
    });
  }

  test("agrees on every layer of the face model", async () => {
    await compare(modelIn(directory), "face model");
  });

  for (const name of ["yolo-fastest-1.1", "yolo-fastest-1.1-xl"]) {
    test(`agrees on every layer of ${name}`, async (context) => {
      const files = vectorModel(context, name);
      if (files !== undefined) await compare(files, name, DEEP_TOLERANCE);
    });
  }

  test("gives the raw outputs of Debian's darknet", async (context) => {
    const darknet = buildDarknet();
    if (darknet.kind === "absent") return withoutPeer(context, `darknet: ${darknet.reason}`);
    const files = {
      configuration: join(directory, "yolov3.cfg"),
      weights: join(directory, "yolov3.weights"),
    };
    const input = randomInput({ width: 416, height: 416, channels: 3 }, 5);
    const theirs = runDarknet(darknet.program, files, input).layers;
    const ours = await layersOf(modelIn(directory), input);
    // The last layer's activations are made while boxes are read: its raw values are the layer's before it.
    for (const [index, values] of theirs.slice(0, -1).entries()) {
      const difference = largestDifference(values, ours[index]!);
      assert.ok(difference < TOLERANCE, `layer ${index} differs by ${difference}`);
    }
  });

  for (const name of ["yolo-fastest-1.1", "yolo-fastest-1.1-xl"]) {
    test(`gives the raw outputs of Debian's darknet for ${name}`, async (context) => {
      const darknet = buildDarknet();
      if (darknet.kind === "absent") return withoutPeer(context, `darknet: ${darknet.reason}`);
      const configuration = vector(context, "cfg", `${name}.cfg`);
      const weights = vector(context, "weights", `${name}.weights`);
      const files = vectorModel(context, name);
      if (!configuration || !weights || files === undefined) return;
      const input = randomInput({ width: 320, height: 320, channels: 3 }, 5);
      const theirs = runDarknet(darknet.program, { configuration, weights }, input).layers;
      const ours = await layersOf(files, input);
      assert.equal(ours.length, theirs.length);
      for (const index of [120, 129]) {
        const difference = largestDifference(theirs[index]!, ours[index]!);
        assert.ok(difference < DEEP_TOLERANCE, `layer ${index} differs by ${difference}`);
      }
    });
  }
});

async function compare(
  files: GuestFiles,
  what: string,
  tolerance = TOLERANCE,
): Promise<ReferenceLayer[]> {
  const configuration = text(files, "/program_data/yolov3.cfg");
  const network = referenceNetwork(configuration, bytes(files, "/program_data/yolov3.weights"));
  const input = randomInput(network, 9);
  const expected = network.run(input);
  const layers = await layersOf(files, input);
  assert.equal(layers.length, expected.length, what);
  for (const [index, { kind }] of expected.entries()) {
    const raw = kind === "yolo" || kind === "region" ? index - 1 : index;
    const difference = largestDifference(expected[raw]!.output.values, layers[index]!);
    const message = `layer ${index} (${kind}) differs by ${difference}: ${what}`;
    assert.ok(difference < tolerance, message);
  }
  return expected;
}

function modelOf(configuration: string, weights: Uint8Array): GuestFiles {
  const classes = Number(/classes=(\d+)/.exec(configuration)?.[1]);
  const labels = Array.from({ length: classes }, (_, i) => `thing ${i}\n`).join("");
  return {
    "/program_data/coco.names": Buffer.from(labels),
    "/program_data/yolov3.cfg": Buffer.from(configuration),
    "/program_data/yolov3.weights": weights,
  };
}

function vectorModel(context: TestContext, name: string): GuestFiles | undefined {
  const labels = vector(context, "cfg", "coco.names");
  const configuration = vector(context, "cfg", `${name}.cfg`);
  const weights = vector(context, "weights", `${name}.weights`);
  if (!labels || !configuration || !weights) return undefined;
  return {
    "/program_data/coco.names": readFileSync(labels),
    "/program_data/yolov3.cfg": readFileSync(configuration),
    "/program_data/yolov3.weights": readFileSync(weights),
  };
}

function bytes(files: GuestFiles, name: string): Uint8Array {
  const found = files[name];
  assert.ok(found);
  return found;
}

function text(files: GuestFiles, name: string): string {
  return Buffer.from(bytes(files, name)).toString("utf8");
}
