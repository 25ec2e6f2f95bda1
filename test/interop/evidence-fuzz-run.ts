// Runs the fuzzing thread and listens for what must not happen: an error of another kind, an input that takes long or never
// ends, memory without bounds. Times are processor time of the thread, so that other work on the machine rings no alarm.
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { FuzzResult, FuzzTask } from "./evidence-fuzz-worker.ts";

/** What one input may take. */
export interface FuzzLimits {
  readonly milliseconds: number;
  readonly mebibytes: number;
}

/** What came of it. */
export interface FuzzReport {
  readonly results: readonly FuzzResult[];
  /** What must not happen, and did. */
  readonly alarms: readonly string[];
}

const LOOK_EVERY_MS = 200;
/** A thread that answers nothing for so long is ended whatever it does. */
const SILENT_MS = 300_000;

/** Fuzzes until the task's time is over, or something rings. */
export async function runFuzz(
  task: Omit<FuzzTask, "progress">,
  { milliseconds, mebibytes }: FuzzLimits,
): Promise<FuzzReport> {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL("evidence-fuzz-worker.ts", import.meta.url), {
    workerData: { ...task, progress } satisfies FuzzTask,
    resourceLimits: { maxOldGenerationSizeMb: mebibytes },
  });
  const [results, alarms]: [FuzzResult[], string[]] = [[], []];
  let reader = "none";
  worker.on("message", (message: FuzzResult | string) => {
    if (typeof message === "string") reader = message;
    else results.push(message);
  });
  worker.on("error", ({ message }) => alarms.push(`${reader}: the thread ended: ${message}`));
  const ended = new Promise<void>((done) => worker.once("exit", () => done()));
  const watching = new AbortController();
  const watched = watch(worker, progress, milliseconds, watching.signal);
  await Promise.race([ended, watched]);
  watching.abort();
  if (await watched) alarms.push(`${reader}: an input does not end`);
  await worker.terminate();
  for (const { reader: name, failure, slowest } of results) {
    if (failure !== undefined) alarms.push(`${name}: ${failure}`);
    if (slowest >= milliseconds) alarms.push(`${name}: ${slowest} ms for one input`);
  }
  return { results, alarms };
}

/** Answers true when the thread works on one input for longer than it may; false when told to stop looking. */
async function watch(
  worker: Worker,
  progress: Int32Array,
  milliseconds: number,
  stop: AbortSignal,
): Promise<boolean> {
  let [seen, spent, silent] = [-1, 0, 0];
  while (!stop.aborted) {
    await pause(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => undefined);
    // A thread inside one long native call doesn't answer what it has spent.
    const usage = await Promise.race([
      worker.cpuUsage().catch(() => undefined),
      pause(LOOK_EVERY_MS * 5, undefined),
    ]);
    const now = Atomics.load(progress, 0);
    const cpu = usage === undefined ? undefined : (usage.user + usage.system) / 1000;
    // Before the first input it loads its code and samples, for as long as the machine needs.
    if (now !== seen || now === 0) {
      [seen, spent, silent] = [now, cpu ?? spent, 0];
      continue;
    }
    silent += LOOK_EVERY_MS;
    if (cpu !== undefined && cpu - spent > milliseconds * 2) return true;
    if (silent > SILENT_MS) return true;
  }
  return false;
}
