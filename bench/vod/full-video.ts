// The benchmark's video: the example's sample brought to 1920×1080 by ffmpeg, constrained baseline.
import { spawnSync } from "node:child_process";
import { SAMPLE } from "../../examples/vod/test/encrypted-video.ts";

const MAXIMUM_BYTES = 1 << 28;

/** The video's bytes: 12 pictures. @throws Error when ffmpeg is absent */
export function fullVideo(): Uint8Array {
  const { status, stdout, stderr, error } = spawnSync(
    "ffmpeg",
    [
      ...["-nostdin", "-v", "error", "-i", SAMPLE, "-vf", "scale=1920:1080", "-threads", "1"],
      ...["-c:v", "libx264", "-profile:v", "baseline", "-crf", "23", "-f", "h264", "-"],
    ],
    { maxBuffer: MAXIMUM_BYTES },
  );
  if (error !== undefined) throw new Error(`the benchmark's video needs ffmpeg: ${error.message}`);
  if (status !== 0) throw new Error(`ffmpeg: ${stderr.toString("utf8")}`);
  return stdout;
}
