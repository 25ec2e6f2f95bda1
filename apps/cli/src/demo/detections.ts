// /output/detections.json of the video detector, read from the keep: the program's words, so checked like anybody's.
import { CliError } from "../errors.ts";

/** One object in one picture; the box in pixels, by its left upper corner. */
export interface Detection {
  readonly frame: number;
  readonly label: string;
  readonly score: number;
  readonly box: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  };
}

/** What was found in a video. */
export interface DetectionReport {
  readonly frames: number;
  readonly detections: readonly Detection[];
}

const MAXIMUM_FRAMES = 100_000;

/**
 * Reads the report.
 * @throws CliError CLI_SERVICE when it is none
 */
export function parseDetections(text: string): DetectionReport {
  try {
    const value = JSON.parse(text) as { frames?: unknown };
    if (!Array.isArray(value.frames) || value.frames.length > MAXIMUM_FRAMES) {
      throw new TypeError("frames are missing");
    }
    const detections = value.frames.flatMap((frame: { index?: unknown; detections?: unknown }) => {
      if (!Array.isArray(frame.detections)) throw new TypeError("a frame has no detections");
      return frame.detections.map((each) => readDetection(Number(frame.index), each));
    });
    return { frames: value.frames.length, detections };
  } catch (cause) {
    throw new CliError("CLI_SERVICE", "the program's detections can't be read", { cause });
  }
}

/** A table, a line a picture. */
export function detectionTable({ frames, detections }: DetectionReport): string[] {
  return Array.from({ length: frames }, (_, frame) => {
    const here = detections.filter((each) => each.frame === frame);
    if (here.length === 0) return `${String(frame).padStart(5)}  nothing found`;
    return here
      .map(({ label, score, box }, index) => {
        const number = index === 0 ? String(frame).padStart(5) : "     ";
        const percent = `${(score * 100).toFixed(1)} %`;
        const place = `${Math.round(box.x)},${Math.round(box.y)}  ${Math.round(box.width)} x ${Math.round(box.height)}`;
        return `${number}  ${label.padEnd(14)} ${percent.padStart(7)}   ${place}`;
      })
      .join("\n");
  });
}

function readDetection(frame: number, untrusted: unknown): Detection {
  const { label, score, box } = untrusted as {
    label?: unknown;
    score?: unknown;
    box?: Record<string, unknown>;
  };
  const number = (value: unknown): number => {
    if (typeof value !== "number" || !Number.isFinite(value)) throw new TypeError("not a number");
    return value;
  };
  if (typeof label !== "string") throw new TypeError("a label is missing");
  return {
    frame: number(frame),
    // Labels are data: nothing in them may move the cursor.
    label: label.replace(/[\p{Cc}\p{Cf}]/gu, "?").slice(0, 64),
    score: number(score),
    box: {
      x: number(box?.["x"]),
      y: number(box?.["y"]),
      width: number(box?.["width"]),
      height: number(box?.["height"]),
    },
  };
}
