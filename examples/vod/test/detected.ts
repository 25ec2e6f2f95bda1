// The program's detections.json, and when two lists of found objects agree.
import assert from "node:assert/strict";
import { overlapOf } from "./detections.ts";
import type { GuestOutcome } from "./host.ts";

/** An object as the program reports it: the box by its left upper corner. */
export interface FoundObject {
  readonly label: string;
  readonly score: number;
  readonly box: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  };
}

/** What detections.json holds. */
export interface DetectionsFile {
  readonly threshold: number;
  readonly frames: readonly {
    readonly index: number;
    readonly width: number;
    readonly height: number;
    readonly picture: string;
    readonly detections: readonly FoundObject[];
  }[];
}

/** The file that a run wrote. */
export function readDetections({ outputs, stderr }: GuestOutcome): DetectionsFile {
  const bytes = outputs.get("/output/detections.json");
  assert.ok(bytes, `no detections were written: ${stderr}`);
  return JSON.parse(Buffer.from(bytes).toString("utf8")) as DetectionsFile;
}

/** Asserts that both lists hold the same objects, in any order, within the tolerance. */
export function assertSameObjects(
  found: readonly FoundObject[],
  expected: readonly FoundObject[],
  tolerance: { readonly overlap: number; readonly score: number },
  what: string,
): void {
  const all = `${what}: ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`;
  assert.equal(found.length, expected.length, all);
  const left = [...found];
  for (const object of expected) {
    const at = left.findIndex(
      ({ label, score, box }) =>
        label === object.label &&
        Math.abs(score - object.score) < tolerance.score &&
        overlapOf(centred(box), centred(object.box)) > tolerance.overlap,
    );
    assert.ok(at >= 0, `${JSON.stringify(object)} was not found. ${all}`);
    left.splice(at, 1);
  }
}

function centred({ x, y, width, height }: FoundObject["box"]): FoundObject["box"] {
  return { x: x + width / 2, y: y + height / 2, width, height };
}
