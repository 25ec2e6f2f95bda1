// Writes expected.json: what the naive reference finds with the face model in each frame of faces.h264, decoded by
// ffmpeg. The detector program has no part in it. Usage: node examples/vod/sample/make-expected.ts
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertFaceModel } from "../model/convert-face-model.ts";
import { detectionsOf, letterbox } from "../test/detections.ts";
import { picturesOf } from "../test/pictures.ts";
import { referenceNetwork } from "../test/reference.ts";

const THRESHOLD = 0.5;
const OVERLAP = 0.45;
const VIDEO = "faces.h264";

const model = mkdtempSync(join(tmpdir(), "holdfast-vod-"));
convertFaceModel(model);
const network = referenceNetwork(
  readFileSync(join(model, "yolov3.cfg"), "utf8"),
  readFileSync(join(model, "yolov3.weights")),
);
rmSync(model, { recursive: true });
const pictures = picturesOf(join(import.meta.dirname, VIDEO));
const frames = pictures.map((picture, index) => ({
  index,
  detections: detectionsOf(
    network.run(letterbox(picture, network.width, network.height)),
    network,
    picture,
    { threshold: THRESHOLD, overlap: OVERLAP },
  ).map(({ score, box }) => ({
    label: "face",
    score: Number(score.toFixed(3)),
    box: {
      x: Math.round(box.x - box.width / 2),
      y: Math.round(box.y - box.height / 2),
      width: Math.round(box.width),
      height: Math.round(box.height),
    },
  })),
}));
const expected = {
  video: VIDEO,
  width: pictures[0]?.width,
  height: pictures[0]?.height,
  threshold: THRESHOLD,
  tolerance: { overlap: 0.8, score: 0.05 },
  frames,
};
writeFileSync(
  join(import.meta.dirname, "expected.json"),
  `${JSON.stringify(expected, undefined, 2)}\n`,
);
