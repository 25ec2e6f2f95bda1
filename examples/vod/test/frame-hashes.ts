// SHA-256 of each decoded picture as cropped I420: as the program prints them, and as ffmpeg writes them.
import { spawnSync } from "node:child_process";

const PRINTED = /^frame \d+ \d+x\d+ sha256 ([0-9a-f]{64})$/gm;

/** Hashes that the program printed with --decode-only. */
export function frameHashes(printed: string): string[] {
  return [...printed.matchAll(PRINTED)].map(([, hash = ""]) => hash);
}

/** Hashes in the text of ffmpeg's framehash format. */
export function readFramehash(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => /^\d/.test(line))
    .map((line) => line.split(",").at(-1)?.trim() ?? "");
}

/** Hashes of what ffmpeg decodes. */
export function ffmpegHashes(file: string): string[] {
  const { status, stdout, stderr } = spawnSync(
    "ffmpeg",
    [
      ...["-nostdin", "-v", "error", "-threads", "1", "-f", "h264", "-i", file],
      ...["-vsync", "0", "-pix_fmt", "yuv420p", "-f", "framehash", "-hash", "sha256", "-"],
    ],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`ffmpeg: ${stderr}`);
  return readFramehash(stdout);
}
