// The reference itself against a peer: Debian's darknet, layer by layer.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { convertFaceModel } from "../model/convert-face-model.ts";
import { largestDifference } from "./compare.ts";
import { buildDarknet, runDarknet } from "./peer/darknet.ts";
import { withoutPeer } from "./peer/peers.ts";
import { randomConfiguration } from "./random-config.ts";
import { randomInput, randomWeights } from "./random-network.ts";
import { referenceNetwork } from "./reference.ts";

const NETWORKS = 30;
// Darknet keeps 32-bit sums and is built with -Ofast.
const TOLERANCE = 1e-4;

describe("reference against Debian's darknet", () => {
  let directory = "";
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "holdfast-vod-reference-"));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  test("agrees on every layer of random networks", (context) => {
    const program = darknet(context);
    if (program === undefined) return;
    const files = { configuration: join(directory, "cfg"), weights: join(directory, "weights") };
    for (let seed = 1; seed <= NETWORKS; seed += 1) {
      const configuration = randomConfiguration(seed, { newer: false });
      const weights = randomWeights(configuration, seed);
      writeFileSync(files.configuration, configuration);
      writeFileSync(files.weights, weights);
      compare(program, files, `seed ${seed}\n${configuration}`);
    }
  });

  test("agrees on every layer of the face model", (context) => {
    const program = darknet(context);
    if (program === undefined) return;
    convertFaceModel(directory);
    const files = {
      configuration: join(directory, "yolov3.cfg"),
      weights: join(directory, "yolov3.weights"),
    };
    compare(program, files, "face model");
  });
});

function compare(
  program: string,
  files: { readonly configuration: string; readonly weights: string },
  what: string,
): void {
  const network = referenceNetwork(
    readFileSync(files.configuration, "utf8"),
    readFileSync(files.weights),
  );
  const input = randomInput(network, 1);
  const ours = network.run(input);
  const { layers } = runDarknet(program, files, input);
  assert.equal(layers.length, ours.length);
  for (const [index, { kind, output }] of ours.entries()) {
    const difference = largestDifference(output.values, layers[index]!);
    assert.ok(difference < TOLERANCE, `layer ${index} (${kind}) differs by ${difference}: ${what}`);
  }
}

function darknet(context: TestContext): string | undefined {
  const built = buildDarknet();
  if (built.kind === "built") return built.program;
  withoutPeer(context, `darknet: ${built.reason}`);
  return undefined;
}
