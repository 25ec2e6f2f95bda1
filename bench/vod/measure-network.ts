// One picture through one network, on the keep's host and in native darknet, run by run in turn so that both see the
// same machine.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encrypted } from "../../examples/vod/test/encrypted-video.ts";
import type { DetectorHost, GuestFiles } from "../../examples/vod/test/host.ts";
import { runDarknet } from "../../examples/vod/test/peer/darknet.ts";
import { randomInput, randomWeights } from "../../examples/vod/test/random-network.ts";
import { readStages, STAGES, type Stages } from "./stages.ts";

/** What to measure. */
export interface NetworkMeasurement {
  readonly name: string;
  readonly network: string;
  readonly video: Uint8Array;
  /** Native darknet, when it is there. */
  readonly peer: string | undefined;
  readonly runs: number;
}

/** Seconds by stage. */
export interface NetworkReport {
  readonly name: string;
  readonly runs: number;
  /** Of a program that ran for the first time: the engine's code is not optimised yet. */
  readonly first: Stages;
  readonly median: Stages;
  readonly best: Stages;
  /** Processor seconds of this process over wall-clock seconds of the runs: under 0.9 the machine had other work. */
  readonly processorShare: number;
  readonly peakMemoryMib: number;
  /** Median of native darknet's predictions; absent where it can't be built. */
  readonly darknetPredict?: number;
}

const CLASSES = 80;
// Random weights see things everywhere: only what scores as nothing real does is looked at.
const ARGUMENTS = ["--frames", "0:1", "--threshold", "0.9999"];

/** Runs the program and the peer in turn. */
export async function measureNetwork(
  host: DetectorHost,
  { name, network, video, peer, runs }: NetworkMeasurement,
): Promise<NetworkReport> {
  const weights = randomWeights(network, 1);
  const directory = mkdtempSync(join(tmpdir(), "holdfast-bench-vod-"));
  const files = { configuration: join(directory, "cfg"), weights: join(directory, "weights") };
  try {
    if (peer !== undefined) {
      writeFileSync(files.configuration, network);
      writeFileSync(files.weights, weights);
    }
    const guest: GuestFiles = { ...encrypted(video), ...modelFiles(network, weights) };
    const input = randomInput({ width: 416, height: 416, channels: 3 }, 2);
    const [ours, theirs]: [Stages[], number[]] = [[], []];
    let [peak, wall, processor] = [0, 0, 0];
    for (let run = 0; run < runs; run += 1) {
      const [begun, used] = [performance.now(), process.cpuUsage()];
      const outcome = await host.run(guest, ARGUMENTS);
      const { user, system } = process.cpuUsage(used);
      wall += performance.now() - begun;
      processor += (user + system) / 1000;
      if (outcome.exitCode !== 0) throw new Error(outcome.stderr);
      ours.push(readStages(outcome));
      peak = Math.max(peak, outcome.peakMemoryBytes);
      if (peer !== undefined) {
        // Its first prediction touches its memory for the first time.
        const { seconds } = runDarknet(peer, files, input, { runs: 2, outputs: false });
        theirs.push(...seconds.slice(1));
      }
    }
    return {
      name,
      runs,
      first: ours[0] ?? fail(),
      median: byStage(ours, median),
      best: byStage(ours, (values) => Math.min(...values)),
      processorShare: Number((processor / wall).toFixed(2)),
      peakMemoryMib: Math.round(peak / 2 ** 20),
      ...(theirs.length > 0 ? { darknetPredict: median(theirs) } : {}),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The files of a network with random weights, named as the program reads them. */
export function modelFiles(network: string, weights: Uint8Array): GuestFiles {
  const labels = Array.from({ length: CLASSES }, (_, i) => `thing ${i}\n`).join("");
  return {
    "/program_data/coco.names": Buffer.from(labels),
    "/program_data/yolov3.cfg": Buffer.from(network),
    "/program_data/yolov3.weights": weights,
  };
}

function byStage(all: readonly Stages[], pick: (values: readonly number[]) => number): Stages {
  const entries = STAGES.map((stage) => [stage, pick(all.map((stages) => stages[stage]))]);
  return Object.fromEntries(entries) as Stages;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function fail(): never {
  throw new Error("no run was made");
}
