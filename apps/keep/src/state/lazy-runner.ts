// A runner that costs nothing before it is needed: an idle keep has no threads.
import { type CreateWorker, type Run, Runner, type RunOptions, WasiError } from "@holdfast/wasi";

/** What a keep asks of a runner. */
export interface RunStarter {
  /** Makes threads ready for runs that are likely to come. */
  prepare(): void;
  /** @throws WasiError RUN_CLOSED, and as `Runner` */
  start(options: RunOptions): Run;
  close(): Promise<void>;
}

/** Threads that stay after runs at once, for the next ones. */
const RETAINED = 4;

/** A runner that is made when it is first prepared or used. */
export function lazyRunner(createWorker: CreateWorker): RunStarter {
  let runner: Runner | undefined;
  let closed = false;
  const made = (): Runner => {
    if (closed) throw new WasiError("RUN_CLOSED", "the runner was closed");
    runner ??= new Runner({ createWorker, retained: RETAINED });
    return runner;
  };
  return {
    prepare() {
      if (!closed) made();
    },
    start: (options) => made().start(options),
    async close() {
      closed = true;
      await runner?.close();
    },
  };
}
