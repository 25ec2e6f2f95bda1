// How long a keep takes from its loader's start to its first answer, what it holds in memory when idle, and what a
// hundred of them do.
import { readFileSync } from "node:fs";
import { fromText } from "@holdfast/core";
import {
  type RealKeep,
  type startPlatform,
  startRealKeep,
} from "../../apps/keep/src/testing/real-platform.ts";
import { READ, WRITE } from "../../apps/keep/src/testing/test-policy.ts";
import { median } from "./statistics.ts";

/** More at once would only wait for one another. */
const STARTED_AT_ONCE = 4;

type Platform = Awaited<ReturnType<typeof startPlatform>>;

/** Milliseconds from the loader's start to a keep that serves, one at a time. */
export async function measureStarts(platform: Platform, times: number): Promise<number> {
  const taken: number[] = [];
  for (let i = 0; i < times; i += 1) {
    const start = performance.now();
    const keep = await startRealKeep(platform, { rights: [{}] });
    await keep.reaches("serving");
    taken.push(performance.now() - start);
    keep.loader.kill("SIGTERM");
    await keep.reaches("ended");
  }
  return median(taken);
}

/** Memory of a keep and of its loader, in MiB: what is theirs alone (PSS counts shared pages by their sharers). */
export function memoryOf(keep: RealKeep): { keepMib: number; loaderMib: number } {
  const { keep_pid, loader_pid } = keep.state();
  return { keepMib: pssOf(keep_pid ?? 0), loaderMib: pssOf(loader_pid) };
}

/** Starts many keeps and has each take and give a file. */
export async function measureMany(
  platform: Platform,
  count: number,
): Promise<{ count: number; startSeconds: number; totalMib: number; roundMs: number }> {
  const start = performance.now();
  const keeps: RealKeep[] = [];
  while (keeps.length < count) {
    const some = Math.min(STARTED_AT_ONCE, count - keeps.length);
    keeps.push(...(await Promise.all(Array.from({ length: some }, () => startOne(platform)))));
  }
  const startSeconds = (performance.now() - start) / 1000;
  const totalMib = keeps.reduce((sum, keep) => {
    const { keepMib, loaderMib } = memoryOf(keep);
    return sum + keepMib + loaderMib;
  }, 0);
  const round = performance.now();
  await Promise.all(keeps.map(putAndGet));
  const roundMs = performance.now() - round;
  for (const keep of keeps) keep.loader.kill("SIGTERM");
  await Promise.all(keeps.map((keep) => keep.reaches("ended")));
  return { count, startSeconds, totalMib, roundMs };
}

async function startOne(platform: Platform): Promise<RealKeep> {
  const keep = await startRealKeep(platform, {
    rights: [{ "/in/": READ | WRITE }],
    maxMemoryMib: 16,
  });
  await keep.reaches("serving");
  return keep;
}

async function putAndGet(keep: RealKeep): Promise<void> {
  const connection = await keep.connection();
  const client = await keep.client();
  await client.putFile("/in/x", fromText("x"));
  const { body } = await client.readFile("/in/x");
  for await (const _ of body);
  connection.close();
}

function pssOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? Number.NaN) / 1024;
}
