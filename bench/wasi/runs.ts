// Whole runs through a runner: an empty program in a warm thread, and how soon programs that never end are cancelled.
import {
  type AdmittedModule,
  admitModule,
  createSourceWorker,
  Runner,
  type RunOptions,
} from "@holdfast/wasi";
import wabt from "wabt";

const EMPTY = `(module (memory (export "memory") 1) (func (export "_start")))`;
const endless = (body: string): string =>
  `(module (memory (export "memory") 256) (func (export "_start") (local $n i64) (loop $again ${body} (br $again))))`;
/** What goes on without end, by the name of the row. */
const ENDLESS: readonly (readonly [string, string])[] = [
  ["cancelling an endless loop", endless("")],
  [
    "cancelling a loop that divides",
    endless("(local.set $n (i64.div_u (i64.const -1) (i64.or (local.get $n) (i64.const 1))))"),
  ],
  [
    "cancelling a loop that fills 16 MiB",
    endless("(memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216))"),
  ],
];

/** Milliseconds: median and slowest. */
export interface Spread {
  readonly name: string;
  readonly median: number;
  readonly slowest: number;
}

/** Measures wall time, for that is what a caller waits. */
export async function measureRuns(count: number): Promise<Spread[]> {
  const runner = new Runner({ createWorker: createSourceWorker, warm: 1 });
  const empty = await admit(EMPTY);
  const runs: number[] = [];
  for (let done = 0; done < count + 10; done += 1) {
    const from = performance.now();
    await runner.start(options(empty)).done;
    if (done >= 10) runs.push(performance.now() - from);
  }
  const rows = [spread("an empty run, warm thread", runs)];
  const times = Math.ceil(count / 10);
  for (const [name, text] of ENDLESS) {
    rows.push(spread(name, await cancels(runner, await admit(text), { times, afterMs: 100 })));
  }
  await runner.close();
  // Nothing is kept warm: the run is cancelled while its thread is being made.
  const cold = new Runner({ createWorker: createSourceWorker, warm: 0 });
  const starting = await cancels(cold, empty, { times, afterMs: 0 });
  await cold.close();
  return [...rows, spread("cancelling before the thread is there", starting)];
}

async function cancels(
  runner: Runner,
  module: AdmittedModule,
  { times, afterMs }: { times: number; afterMs: number },
): Promise<number[]> {
  const samples: number[] = [];
  for (let done = 0; done < times; done += 1) {
    const run = runner.start(options(module));
    if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
    const from = performance.now();
    run.cancel();
    const { state } = await run.done;
    if (state !== "cancelled") throw new Error(`the run ${state}`);
    samples.push(performance.now() - from);
  }
  return samples;
}

function spread(name: string, samples: number[]): Spread {
  samples.sort((a, b) => a - b);
  const at = (index: number): number => samples[index] ?? Number.NaN;
  return { name, median: at(Math.floor(samples.length / 2)), slowest: at(samples.length - 1) };
}

async function admit(text: string): Promise<AdmittedModule> {
  const { buffer } = (await wabt()).parseWat("empty.wat", text).toBinary({});
  return admitModule(buffer, { maxMemoryMib: 16 });
}

function options(module: AdmittedModule): RunOptions {
  return {
    module,
    snapshot: { nodes: [] },
    rights: new Map(),
    arguments: [],
    environment: {},
    clock: "off",
    random: "system",
  };
}
