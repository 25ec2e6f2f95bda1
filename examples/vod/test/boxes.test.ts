// How boxes are read from raw outputs and suppressed, on random networks. Scores tie there, so that more than one outcome
// is right: what is asked of the outcome is what non-maximum suppression promises.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { readDetections } from "./detected.ts";
import { candidatesOf, clip, type Detection, overlapOf } from "./detections.ts";
import { encrypted, SAMPLE } from "./encrypted-video.ts";
import { runDetector } from "./guest.ts";
import { randomConfiguration } from "./random-config.ts";
import { randomWeights } from "./random-network.ts";
import { referenceNetwork } from "./reference.ts";

const NETWORKS = 40;
const PICTURE = { width: 1280, height: 720 };
const THRESHOLD = 0.35;
const OVERLAP = 0.45;
// Scores and boxes come out of 32-bit sums, and are written with four digits and one.
const SCORE_SLACK = 2e-3;
const OVERLAP_SLACK = 0.01;
// Some random networks see something in every cell. The program suppresses the best 4,096 only.
const MAXIMUM_CANDIDATES = 1000;

describe("boxes of random networks", () => {
  test("are those of the reference, suppressed by overlap", async () => {
    const video = encrypted(readFileSync(SAMPLE));
    let [boxes, covered] = [0, 0];
    for (let seed = 1; seed <= NETWORKS; seed += 1) {
      const configuration = randomConfiguration(seed, { newer: true });
      const weights = randomWeights(configuration, seed);
      const classes = Number(/classes=(\d+)/.exec(configuration)?.[1]);
      const labels = Array.from({ length: classes }, (_, i) => `thing ${i}\n`).join("");
      const files = {
        ...video,
        "/program_data/coco.names": Buffer.from(labels),
        "/program_data/yolov3.cfg": Buffer.from(configuration),
        "/program_data/yolov3.weights": weights,
      };
      const outcome = await runDetector(files, [
        ...["--frames", "0:1", "--threshold", String(THRESHOLD), "--overlap", String(OVERLAP)],
        ...["--dump-layers", "/output"],
      ]);
      assert.equal(outcome.exitCode, 0, `seed ${seed}: ${outcome.stderr}`);
      const network = referenceNetwork(configuration, weights);
      const input = new Float32Array(outcome.outputs.get("/output/input.f32")!.buffer);
      const layers = network.run(input);
      const candidates = candidatesOf(layers, network, PICTURE, THRESHOLD - SCORE_SLACK);
      if (candidates.length > MAXIMUM_CANDIDATES) continue;
      const found = readDetections(outcome).frames[0]!.detections.map(({ label, score, box }) => ({
        label: Number(label.slice("thing ".length)),
        score,
        box: { ...box, x: box.x + box.width / 2, y: box.y + box.height / 2 },
      }));
      const matches = found.map((object) => matchesOf(object, candidates, seed));
      assertApart(
        matches.flatMap((all) => (all.length === 1 ? all : [])),
        seed,
      );
      const kept = matches.flat();
      covered += assertCovered(kept, candidates, seed);
      boxes += found.length;
    }
    assert.ok(boxes > 500 && covered > 100, `${boxes} boxes and ${covered} covered ones`);
  });
});

/** The candidates that a found object may be: several when they tie and differ outside the picture only. */
function matchesOf(
  object: Detection,
  candidates: readonly Detection[],
  seed: number,
): readonly Detection[] {
  const matches = candidates.filter(({ label, score, box }) => {
    const inside = clip(box, PICTURE);
    const isAlike = label === object.label && Math.abs(score - object.score) < SCORE_SLACK;
    return isAlike && inside !== undefined && isSameBox(inside, object.box);
  });
  const what = `seed ${seed}: ${JSON.stringify(object)} is none of the reference's`;
  assert.ok(matches.length > 0, what);
  return matches;
}

function isSameBox(left: Detection["box"], right: Detection["box"]): boolean {
  const slack = (size: number) => 0.2 + size / 500;
  return (
    Math.abs(left.x - right.x) < slack(right.width) &&
    Math.abs(left.y - right.y) < slack(right.height) &&
    Math.abs(left.width - right.width) < slack(right.width) &&
    Math.abs(left.height - right.height) < slack(right.height)
  );
}

function assertApart(kept: readonly Detection[], seed: number): void {
  for (const [index, one] of kept.entries()) {
    for (const other of kept.slice(index + 1)) {
      if (one.label !== other.label) continue;
      const overlap = overlapOf(one.box, other.box);
      assert.ok(
        overlap <= OVERLAP + OVERLAP_SLACK,
        `seed ${seed}: kept boxes overlap by ${overlap}`,
      );
    }
  }
}

/** Whatever was not kept lies outside the picture or under a kept box of its class that scores no less. */
function assertCovered(
  kept: readonly Detection[],
  candidates: readonly Detection[],
  seed: number,
): number {
  const rest = candidates.filter(
    (candidate) => !kept.includes(candidate) && candidate.score > THRESHOLD + SCORE_SLACK,
  );
  const inside = rest.filter(isInside);
  const outside = rest.filter((candidate) => !isInside(candidate));
  for (const candidate of inside) {
    const isCovered = [...kept, ...outside].some(
      (better) =>
        better.label === candidate.label &&
        better.score >= candidate.score - SCORE_SLACK &&
        overlapOf(better.box, candidate.box) > OVERLAP - OVERLAP_SLACK,
    );
    assert.ok(isCovered, `seed ${seed}: ${JSON.stringify(candidate)} was lost`);
  }
  return inside.length;
}

function isInside({ box }: Detection): boolean {
  const part = clip(box, PICTURE);
  return part !== undefined && part.width > 0.1 && part.height > 0.1;
}
