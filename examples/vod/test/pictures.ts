// Pictures of a video through ffmpeg, and H.264 files as raw frames: the independent decoder of the tests.
import { spawnSync } from "node:child_process";
import type { Picture } from "./detections.ts";

const MAXIMUM_BYTES = 1 << 30;

/** Every so many-th frame of a video as an RGB picture, decoded and converted by ffmpeg. */
export function picturesOf(file: string, every = 1): Picture[] {
  const size = run("ffprobe", [
    ...["-v", "error", "-select_streams", "v:0"],
    ...["-show_entries", "stream=width,height", "-of", "csv=p=0", file],
  ]);
  const [width = 0, height = 0] = size.toString("utf8").trim().split(",").map(Number);
  const all = run("ffmpeg", [
    ...["-nostdin", "-v", "error", "-i", file],
    ...["-vf", `select=not(mod(n\\,${every}))`, "-vsync", "0"],
    ...["-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
  ]);
  const bytes = width * height * 3;
  return Array.from({ length: all.length / bytes }, (_, i) => ({
    width,
    height,
    rgb: all.subarray(i * bytes, (i + 1) * bytes),
  }));
}

function run(command: string, args: readonly string[]): Buffer {
  const { status, stdout, stderr, error } = spawnSync(command, args, { maxBuffer: MAXIMUM_BYTES });
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? stderr.toString("utf8")}`);
  return stdout;
}
