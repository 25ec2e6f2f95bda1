// Threads for programs, to admit them and to run them. They cost nothing before they are needed: an idle keep has none.
import {
  type AdmissionLimits,
  type AdmittedModule,
  admitInThread,
  admitModule,
  type Content,
  type CreateWorker,
  contentBytes,
  type Run,
  Runner,
  type RunOptions,
  WasiError,
} from "@holdfast/wasi";

/** What a keep asks of a runner. */
export interface RunStarter {
  /** Makes threads ready for runs that are likely to come. */
  prepare(): void;
  /** @throws WasiError MODULE_*, RUN_NO_THREAD, RUN_CLOSED */
  admit(content: Content, limits: AdmissionLimits): Promise<AdmittedModule>;
  /** @throws WasiError RUN_CLOSED, and as `Runner` */
  start(options: RunOptions): Run;
  close(): Promise<void>;
}

/** How threads are started. */
export interface ProgramThreads {
  readonly forRuns: CreateWorker;
  readonly forAdmission: CreateWorker;
}

/** Up to here a program is admitted at once: it takes less than starting a thread for it would. */
const SMALL_BYTES = 64 * 1024;
/** Threads that stay after runs at once, for the next ones. */
const RETAINED = 4;

/** A runner that is made when it is first prepared or used. */
export function lazyRunner({ forRuns, forAdmission }: ProgramThreads): RunStarter {
  const closing = new AbortController();
  const { signal } = closing;
  let runner: Runner | undefined;
  const made = (): Runner => {
    if (signal.aborted) throw new WasiError("RUN_CLOSED", "the runner was closed");
    runner ??= new Runner({ createWorker: forRuns, retained: RETAINED });
    return runner;
  };
  return {
    prepare() {
      if (!signal.aborted) made();
    },
    admit: (content, limits) =>
      content.size <= SMALL_BYTES
        ? admitModule(contentBytes(content), limits)
        : admitInThread({ content, limits, createWorker: forAdmission, signal }),
    start: (options) => made().start(options),
    async close() {
      closing.abort();
      await runner?.close();
    },
  };
}
