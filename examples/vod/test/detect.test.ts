// The whole program: encrypted video in, detections and pictures out.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { convertFaceModel } from "../model/convert-face-model.ts";
import { assertSameObjects, type FoundObject, readDetections } from "./detected.ts";
import { detectionsOf, letterbox } from "./detections.ts";
import { encrypted, model, modelIn, SAMPLE } from "./encrypted-video.ts";
import { runDetector } from "./guest.ts";
import type { GuestFiles, GuestOutcome } from "./host.ts";
import { hasPeer, vector } from "./peer/peers.ts";
import { picturesOf } from "./pictures.ts";
import { referenceNetwork } from "./reference.ts";

const EXPECTED = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "sample", "expected.json"), "utf8"),
) as {
  readonly tolerance: { readonly overlap: number; readonly score: number };
  readonly frames: readonly {
    readonly detections: readonly {
      readonly label: string;
      readonly score: number;
      readonly box: { x: number; y: number; width: number; height: number };
    }[];
  }[];
};

describe("detector with the face model", () => {
  let directory = "";
  let outcome: GuestOutcome;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "holdfast-vod-detect-"));
    convertFaceModel(directory);
    outcome = await runDetector({ ...encrypted(readFileSync(SAMPLE)), ...modelIn(directory) });
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  test("finds the faces of the sample and nothing else", () => {
    assert.equal(outcome.exitCode, 0, outcome.stderr);
    const { frames } = readDetections(outcome);
    assert.equal(frames.length, EXPECTED.frames.length);
    for (const [index, { detections }] of EXPECTED.frames.entries()) {
      assertSameObjects(
        frames[index]!.detections,
        detections,
        EXPECTED.tolerance,
        `frame ${index}`,
      );
    }
  });

  test("says what it does in the words of the original program", () => {
    const order = [
      /^Decrypting video\.\.\.$/m,
      /^Initializing detector\.\.\.$/m,
      /^Arguments loaded and network parsed: \d+\.\d{6} seconds$/m,
      /^Starting decoding\.\.\.$/m,
      /^Image 0 =+$/m,
      /^Image normalized and resized: \d+\.\d{6} seconds$/m,
      /^Starting prediction\.\.\.$/m,
      /^Prediction duration: \d+\.\d{6} seconds$/m,
      /^Detection probabilities:\nface: 9\d%$/m,
      /^Saving prediction to output\/prediction\.0\.jpg\.\.\.$/m,
      /^Write duration: \d+\.\d{6} seconds$/m,
      /^Detector run: \d+\.\d{6} seconds$/m,
      /^Finished decoding: \d+\.\d{6} seconds$/m,
    ];
    let from = 0;
    for (const pattern of order) {
      const at = outcome.stdout.slice(from).search(pattern);
      assert.ok(at >= 0, `${pattern} is missing or out of order in\n${outcome.stdout}`);
      from += at;
    }
    for (const pattern of [
      /^layer +filters +size +input +output$/m,
      /^ +0 conv +16 +3 x 3 \/ 1 +416 x 416 x +3 +-> +414 x 414 x +16 +0\.148 BFLOPs$/m,
      /^Loading weights from program_data\/yolov3\.weights\.\.\.Done!$/m,
      /^iWidth:\s+1280$/m,
      /^height:\s+720$/m,
      /^Frames:\s+12$/m,
      /^decode time:\s+\d+\.\d+ sec$/m,
      /^FPS:\s+\d+\.\d+ fps$/m,
    ]) {
      assert.match(outcome.stderr, pattern);
    }
  });

  test("writes one picture a frame and no more", () => {
    const pictures = Array.from({ length: 12 }, (_, i) => `/output/prediction.${i}.jpg`);
    const expected = [...pictures, "/output/detections.json"].sort();
    assert.deepEqual([...outcome.outputs.keys()].sort(), expected);
  });

  test("is deterministic but for its clock", async () => {
    const files = { ...encrypted(readFileSync(SAMPLE)), ...modelIn(directory) };
    const again = await runDetector(files, ["--frames", "6:2"]);
    for (const name of ["/output/prediction.6.jpg", "/output/prediction.7.jpg"]) {
      assert.deepEqual(again.outputs.get(name), outcome.outputs.get(name), name);
    }
  });
});

describe("detector with the models of 80 classes", () => {
  const scenes = ["motorbike", "cat", "cup", "person"];

  test("gives the expected detections of yolo-fastest-1.1-xl", async (context) => {
    const expected = vector(context, "expected", "seq_1080p_yolo-fastest-1.1-xl.txt");
    const video = vector(context, "video", "seq_1080p_constrained_baseline.h264");
    const files = yoloFastest(context, "yolo-fastest-1.1-xl");
    if (!expected || !video || files === undefined) return;
    const outcome = await runDetector({ ...encrypted(readFileSync(video)), ...files });
    assert.equal(outcome.exitCode, 0, outcome.stderr);
    const { frames } = readDetections(outcome);
    const lines = readFileSync(expected, "utf8").trim().split("\n");
    assert.equal(frames.length, lines.length);
    for (const [index, { detections }] of frames.entries()) {
      // A class and a whole percentage each; no box is given. Weak ones may come and go with the resampler.
      const theirs = [...lines[index]!.matchAll(/(\w+): (\d+)%/g)].map(([, label, percent]) => ({
        label,
        score: Number(percent) / 100,
      }));
      const strong = theirs.filter(({ score }) => score > 0.6);
      const ours = detections.filter(({ score }) => score > 0.6);
      const what = `frame ${index}`;
      assert.deepEqual(
        ours.map(({ label }) => label),
        strong.toSorted((a, b) => b.score - a.score).map(({ label }) => label),
        what,
      );
      for (const [i, { score }] of strong.toSorted((a, b) => b.score - a.score).entries()) {
        assert.ok(Math.abs(score - ours[i]!.score) < 0.05, `${what}: ${ours[i]!.score}`);
      }
      assert.equal(detections[0]?.label, scenes[Math.floor(index / 3)], what);
      assert.ok((detections[0]?.score ?? 0) > 0.9, what);
    }
  });

  for (const name of ["yolo-fastest-1.1-xl", "yolo-fastest-1.1"]) {
    test(`finds with ${name} what the reference finds`, async (context) => {
      const video = vector(context, "video", "seq_1080p_constrained_baseline.h264");
      const files = yoloFastest(context, name);
      if (!video || files === undefined || !hasPeer(context, "ffmpeg")) return;
      const args = ["--every", "6", "--threshold", "0.5"];
      const outcome = await runDetector({ ...encrypted(readFileSync(video)), ...files }, args);
      const { frames } = readDetections(outcome);
      const pictures = picturesOf(video, 6);
      assert.equal(frames.length, pictures.length);
      const network = referenceNetwork(
        Buffer.from(files["/program_data/yolov3.cfg"]!).toString("utf8"),
        files["/program_data/yolov3.weights"]!,
      );
      const labels = Buffer.from(files["/program_data/coco.names"]!).toString("utf8").split("\n");
      for (const [index, picture] of pictures.entries()) {
        const layers = network.run(letterbox(picture, network.width, network.height));
        const limits = { threshold: 0.5, overlap: 0.45 };
        const found = detectionsOf(layers, network, picture, limits).map(
          ({ label, score, box: { x, y, width, height } }) => ({
            label: labels[label] ?? "",
            score,
            box: { x: x - width / 2, y: y - height / 2, width, height },
          }),
        );
        const what = `frame ${6 * index}`;
        const strong = (objects: readonly FoundObject[]) =>
          objects.filter(({ score }) => score > 0.6);
        const tolerance = { overlap: 0.8, score: 0.05 };
        assertSameObjects(strong(frames[index]!.detections), strong(found), tolerance, what);
      }
    });
  }
});

function yoloFastest(context: Parameters<typeof vector>[0], name: string): GuestFiles | undefined {
  const labels = vector(context, "cfg", "coco.names");
  const configuration = vector(context, "cfg", `${name}.cfg`);
  const weights = vector(context, "weights", `${name}.weights`);
  return labels && configuration && weights ? model(labels, configuration, weights) : undefined;
}
