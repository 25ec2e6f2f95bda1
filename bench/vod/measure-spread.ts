// Pictures per second of one instance, and of two that take turns: every second picture each.
import { encrypted } from "../../examples/vod/test/encrypted-video.ts";
import type { DetectorHost } from "../../examples/vod/test/host.ts";
import { randomWeights } from "../../examples/vod/test/random-network.ts";
import { modelFiles } from "./measure-network.ts";

/** Pictures per second, loading included. */
export interface SpreadReport {
  readonly pictures: number;
  readonly one: number;
  readonly two: number;
}

const PICTURES = 12;
const ROUNDS = 3;

/** The better of a few rounds each, in turn. */
export async function measureSpread(
  host: DetectorHost,
  video: Uint8Array,
  network: string,
): Promise<SpreadReport> {
  const files = { ...encrypted(video), ...modelFiles(network, randomWeights(network, 1)) };
  const run = async (...parts: readonly (readonly string[])[]): Promise<number> => {
    const begun = performance.now();
    const outcomes = await Promise.all(
      parts.map((part) => host.run(files, ["--threshold", "0.9999", ...part])),
    );
    const failed = outcomes.find(({ exitCode }) => exitCode !== 0);
    if (failed !== undefined) throw new Error(failed.stderr);
    return (1000 * PICTURES) / (performance.now() - begun);
  };
  const even = ["--frames", "0:", "--every", "2"];
  const odd = ["--frames", "1:", "--every", "2"];
  let [one, two] = [0, 0];
  for (let round = 0; round < ROUNDS; round += 1) {
    one = Math.max(one, await run([]));
    two = Math.max(two, await run(even, odd));
  }
  return { pictures: PICTURES, one, two };
}
