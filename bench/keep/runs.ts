// How long a run takes that does nothing, asked for over the channel and waited for, and how many there are a second.
import type { KeepClient } from "@holdfast/contract";
import { wat } from "../../apps/keep/src/testing/programs.ts";
import type { RealKeep } from "../../apps/keep/src/testing/real-platform.ts";
import { median, percentile } from "./statistics.ts";

/** Times in milliseconds. */
export interface RunResult {
  /** From the request to the answer that says how it ended, its receipt signed. */
  readonly throughChannel: { readonly median: number; readonly p99: number };
  /** As the keep measured it. */
  readonly insideKeep: { readonly median: number; readonly p99: number };
  readonly perSecond: number;
}

/** Path of the program that does nothing. */
export const EMPTY_PROGRAM = "/program/empty.wasm";

/** Measures runs one after the other, then by several clients at once. */
export async function measureRuns(
  keep: RealKeep,
  options: { runs: number; clients: number },
): Promise<RunResult> {
  const client = await keep.client();
  await client.putFile(
    EMPTY_PROGRAM,
    await wat('(module (memory (export "memory") 1) (func (export "_start")))'),
  );
  for (let i = 0; i < 20; i += 1) await runOnce(client);
  const through: number[] = [];
  const inside: number[] = [];
  for (let i = 0; i < options.runs; i += 1) {
    const start = performance.now();
    inside.push(await runOnce(client));
    through.push(performance.now() - start);
  }
  const clients = await Promise.all(Array.from({ length: options.clients }, () => keep.client()));
  const start = performance.now();
  await Promise.all(
    clients.map(async (each) => {
      for (let i = 0; i < options.runs; i += 1) await runOnce(each);
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  return {
    throughChannel: { median: median(through), p99: percentile(through, 99) },
    insideKeep: { median: median(inside), p99: percentile(inside, 99) },
    perSecond: (options.clients * options.runs) / seconds,
  };
}

async function runOnce(client: KeepClient): Promise<number> {
  const { id } = await client.startRun(EMPTY_PROGRAM);
  const run = await client.waitRun(id);
  if (run.exit_code !== 0) throw new Error(`the empty program ended as ${run.state}`);
  return run.duration_ms ?? Number.NaN;
}
