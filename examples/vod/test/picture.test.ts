// The pictures that come out: real JPEG files that show the frame, with lines where the boxes are and nowhere else.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { convertFaceModel } from "../model/convert-face-model.ts";
import { type FoundObject, readDetections } from "./detected.ts";
import type { Picture } from "./detections.ts";
import { encrypted, modelIn, SAMPLE } from "./encrypted-video.ts";
import { runDetector } from "./guest.ts";
import type { GuestOutcome } from "./host.ts";
import { hasPeer } from "./peer/peers.ts";
import { picturesOf } from "./pictures.ts";

// JPEG at quality 85 of a frame that was compressed before.
const LEAST_DECIBELS = 32;
/** A label stands on top of its box, or inside it at the picture's edge. */
const LABEL_HEIGHT = 40;

describe("annotated pictures", () => {
  let directory = "";
  let outcome: GuestOutcome;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "holdfast-vod-picture-"));
    convertFaceModel(directory);
    const files = { ...encrypted(readFileSync(SAMPLE)), ...modelIn(directory) };
    outcome = await runDetector(files, ["--every", "3"]);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  test("show the frame, and lines where the boxes are", (context) => {
    if (!hasPeer(context, "ffmpeg")) return;
    const frames = picturesOf(SAMPLE, 3);
    for (const [at, { index, detections }] of readDetections(outcome).frames.entries()) {
      const [frame, picture] = [frames[at]!, decoded(index)];
      assert.deepEqual([picture.width, picture.height], [frame.width, frame.height]);
      const untouched = (x: number, y: number) => !detections.some((d) => isMarked(d, x, y));
      const quality = decibels(frame, picture, untouched);
      assert.ok(quality > LEAST_DECIBELS, `picture ${index} differs elsewhere: ${quality} dB`);
      for (const { box } of detections) {
        for (const [x, y] of corners(box)) {
          assert.ok(
            strongest(frame, picture, x, y) > 40,
            `picture ${index}: no corner at ${x},${y}`,
          );
        }
        // Light and dark in turn, as letters are: whatever lies below, much of it changes.
        const along = Array.from({ length: 60 }, (_, i) => 4 + i);
        const label = along.filter((dx) => change(frame, picture, box.x + dx, box.y - 10) > 40);
        assert.ok(label.length > 15, `picture ${index}: no label over the box`);
      }
    }
  });

  test("are what libjpeg takes without a warning", (context) => {
    if (!hasPeer(context, "djpeg", "-version")) return;
    for (const { index } of readDetections(outcome).frames) {
      const jpeg = outcome.outputs.get(`/output/prediction.${index}.jpg`);
      const { status, stdout, stderr } = spawnSync("djpeg", ["-strict", "-ppm"], {
        input: jpeg,
        maxBuffer: 1 << 26,
      });
      assert.equal(status, 0, stderr.toString("utf8"));
      assert.match(stdout.subarray(0, 20).toString("latin1"), /^P6\s1280 720\s255\s/);
    }
  });

  function decoded(index: number): Picture {
    const file = join(directory, "picture.jpg");
    writeFileSync(file, outcome.outputs.get(`/output/prediction.${index}.jpg`)!);
    return picturesOf(file)[0]!;
  }
});

/** Whether a pixel lies on the lines of a box or where its label may be. */
function isMarked({ box }: FoundObject, x: number, y: number): boolean {
  const inside = (margin: number) =>
    x >= box.x - margin &&
    y >= box.y - margin &&
    x <= box.x + box.width + margin &&
    y <= box.y + box.height + margin;
  const label = x >= box.x - 10 && x <= box.x + 200 && Math.abs(y - box.y) <= LABEL_HEIGHT;
  return label || (inside(10) && !inside(-10));
}

function corners({ x, y, width, height }: FoundObject["box"]): [number, number][] {
  return [
    [x, y],
    [x + width, y],
    [x, y + height],
    [x + width, y + height],
  ];
}

function decibels(
  left: Picture,
  right: Picture,
  counts: (x: number, y: number) => boolean,
): number {
  let [sum, count] = [0, 0];
  for (let i = 0; i < left.rgb.length; i += 1) {
    const pixel = Math.floor(i / 3);
    if (!counts(pixel % left.width, Math.floor(pixel / left.width))) continue;
    sum += ((left.rgb[i] ?? 0) - (right.rgb[i] ?? 0)) ** 2;
    count += 1;
  }
  return 10 * Math.log10((255 * 255 * count) / sum);
}

/** The strongest change within a few pixels. */
function strongest(left: Picture, right: Picture, x: number, y: number): number {
  const around = [-3, -2, -1, 0, 1, 2, 3];
  return Math.max(
    ...around.flatMap((dy) => around.map((dx) => change(left, right, x + dx, y + dy))),
  );
}

function change(left: Picture, right: Picture, x: number, y: number): number {
  const at = (Math.round(y) * left.width + Math.round(x)) * 3;
  const differences = [0, 1, 2].map((i) => {
    return Math.abs((left.rgb[at + i] ?? 0) - (right.rgb[at + i] ?? 0));
  });
  return Math.max(...differences);
}
