// Whole runs through a runner: an empty program in a warm thread, and how soon an endless loop is cancelled.
import {
  type AdmittedModule,
  admitModule,
  createSourceWorker,
  Runner,
  type RunOptions,
} from "@holdfast/wasi";
import wabt from "wabt";

const EMPTY = `(module (memory (export "memory") 1) (func (export "_start")))`;
const ENDLESS = `(module (memory (export "memory") 1) (func (export "_start") (loop $again (br $again))))`;

/** Milliseconds: median and slowest of a hundred. */
export interface Spread {
  readonly name: string;
  readonly median: number;
  readonly slowest: number;
}

/** Measures wall time, for that is what a caller waits. */
export async function measureRuns(count: number): Promise<Spread[]> {
  const runner = new Runner({ createWorker: createSourceWorker, warm: 1 });
  const [empty, endless] = [await admit(EMPTY), await admit(ENDLESS)];
  const runs: number[] = [];
  const cancels: number[] = [];
  for (let done = 0; done < count + 10; done += 1) {
    const from = performance.now();
    await runner.start(options(empty)).done;
    if (done >= 10) runs.push(performance.now() - from);
  }
  for (let done = 0; done < count / 5; done += 1) {
    const run = runner.start(options(endless));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const from = performance.now();
    run.cancel();
    await run.done;
    cancels.push(performance.now() - from);
  }
  await runner.close();
  return [spread("an empty run, warm thread", runs), spread("cancelling an endless loop", cancels)];
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
