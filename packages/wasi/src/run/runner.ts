// Starts runs in worker threads; keeps some of them warm.
import { Worker } from "node:worker_threads";
import type { CreateWorker, Run, RunOptions } from "./options.ts";

/** A runner. */
export interface RunnerOptions {
  readonly createWorker: CreateWorker;
  /** Workers kept ready. Default 1. */
  readonly warm?: number;
}

/** Source file of the worker, for development and for bundlers, which embed it as text. */
export const WORKER_ENTRY: URL = new URL("../worker/entry.ts", import.meta.url);

/** A worker from the source file; a bundle passes its own with embedded text. */
export function createSourceWorker(): Worker {
  return new Worker(WORKER_ENTRY);
}

/** Runs guests, each alone in a thread; threads are reused after a clean exit and replaced after any other end. */
export class Runner {
  constructor(_options: RunnerOptions) {
    throw new Error("unfinished");
  }
  /** @throws WasiError RUN_INVALID when the options contradict, RUN_CLOSED */
  start(_options: RunOptions): Run {
    throw new Error("unfinished");
  }
  /** Cancels what runs and ends the threads. */
  async close(): Promise<void> {
    throw new Error("unfinished");
  }
}

/** One run in a thread of its own. */
export function startRun(options: RunOptions & { readonly createWorker: CreateWorker }): Run {
  return new Runner({ createWorker: options.createWorker, warm: 0 }).start(options);
}
