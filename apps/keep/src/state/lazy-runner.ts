// A runner that costs nothing before it is needed: an idle keep has no threads.
import { type CreateWorker, type Run, Runner, type RunOptions } from "@holdfast/wasi";

/** What a keep asks of a runner. */
export interface RunStarter {
  /** Makes threads ready for runs that are likely to come. */
  prepare(): void;
  start(options: RunOptions): Run;
  close(): Promise<void>;
}

/** Threads that stay after runs at once, for the next ones. */
const RETAINED = 4;

/** A runner that is made when it is first prepared or used. */
export function lazyRunner(createWorker: CreateWorker): RunStarter {
  let runner: Runner | undefined;
  const made = (): Runner => {
    runner ??= new Runner({ createWorker, retained: RETAINED });
    return runner;
  };
  return {
    prepare: () => void made(),
    start: (options) => made().start(options),
    close: async () => runner?.close(),
  };
}
