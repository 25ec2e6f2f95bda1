// Starts runs in worker threads. A few threads are kept warm: starting one takes longer than most runs.
import { Worker } from "node:worker_threads";
import { WasiError } from "../errors.ts";
import type { Job } from "../worker/job.ts";
import { ActiveRun } from "./active-run.ts";
import { directoriesOf, limitsOf, neededDirectories, preopensOf } from "./defaults.ts";
import type { CreateWorker, Run, RunOptions } from "./options.ts";
import { reachable } from "./reachable.ts";
import { WorkerSlot } from "./worker-slot.ts";

/** A runner. */
export interface RunnerOptions {
  readonly createWorker: CreateWorker;
  /** Idle workers kept ready. Default 1. */
  readonly warm?: number;
  /** Workers kept idle after their runs, at least as many as are kept ready. Default: no more than those. */
  readonly retained?: number;
  /** How long a run that may keep its output has, when ended, to come to a call of its host. Default 30 ms. */
  readonly graceMs?: number;
}

/** Source file of the worker, for development and for bundlers, which embed it as text. */
export const WORKER_ENTRY: URL = new URL("../worker/entry.ts", import.meta.url);

/** How a worker is to be made: no environment, and bounds on what the thread's own objects take. */
export const WORKER_OPTIONS = {
  env: {},
  resourceLimits: { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
} as const;

/** A worker from the source file; a bundle passes its own with embedded text. */
export function createSourceWorker(): Worker {
  return new Worker(WORKER_ENTRY, WORKER_OPTIONS);
}

/** Runs guests, each alone in a thread. A thread is used again after a run that exited and was not large, and replaced after any other. */
export class Runner {
  readonly #createWorker: CreateWorker;
  readonly #warm: number;
  readonly #retained: number;
  readonly #graceMs: number;
  readonly #idle: WorkerSlot[] = [];
  readonly #active = new Set<ActiveRun>();
  #closed = false;

  constructor(options: RunnerOptions) {
    this.#createWorker = options.createWorker;
    this.#warm = options.warm ?? 1;
    this.#retained = Math.max(options.retained ?? 0, this.#warm);
    this.#graceMs = options.graceMs ?? 30;
    this.#warmUp();
  }

  /** @throws WasiError RUN_INVALID when an argument or variable can't be passed, RUN_NO_THREAD, RUN_CLOSED */
  start(options: RunOptions): Run {
    if (this.#closed) throw new WasiError("RUN_CLOSED", "the runner was closed");
    const job = jobOf(options);
    const slot = this.#takeSlot();
    const run = new ActiveRun(slot, job, options, this.#graceMs, (reusable) => {
      this.#active.delete(run);
      this.#giveBack(slot, reusable);
    });
    this.#active.add(run);
    return run;
  }

  /** Cancels what runs and ends all threads. */
  async close(): Promise<void> {
    this.#closed = true;
    const ends = [...this.#active].map((run) => {
      run.cancel();
      return run.done;
    });
    await Promise.all(ends);
    for (const slot of this.#idle.splice(0)) slot.terminate();
  }

  #takeSlot(): WorkerSlot {
    let slot = this.#idle.pop();
    while (slot !== undefined && !slot.alive) slot = this.#idle.pop();
    try {
      return slot ?? new WorkerSlot(this.#createWorker());
    } catch (cause) {
      throw new WasiError("RUN_NO_THREAD", "the machine gives no thread for the run", { cause });
    }
  }

  #giveBack(slot: WorkerSlot, reusable: boolean): void {
    const wanted = reusable && slot.alive && !this.#closed && this.#idle.length < this.#retained;
    if (wanted) this.#idle.push(slot);
    else slot.terminate();
    this.#warmUp();
  }

  /** A thread that can't be made ahead is not missed yet: the next run says so if it still can't. */
  #warmUp(): void {
    try {
      while (!this.#closed && this.#idle.length < this.#warm) {
        this.#idle.push(new WorkerSlot(this.#createWorker()));
      }
    } catch {}
  }
}

/** One run in a thread of its own. */
export function startRun(options: RunOptions & { readonly createWorker: CreateWorker }): Run {
  return new Runner({ createWorker: options.createWorker, warm: 0 }).start(options);
}

function jobOf(options: RunOptions): Omit<Job, "ring"> {
  const { memory, compiled, functions } = options.module;
  const texts = [...options.arguments, ...Object.entries(options.environment).flat()];
  if (texts.some((text) => text.includes("\0"))) {
    throw new WasiError("RUN_INVALID", "a NUL character in an argument or variable");
  }
  const snapshot = reachable(options.snapshot, options.rights);
  const directories = directoriesOf(options, snapshot);
  return {
    compiled,
    functions,
    ...(memory.imported
      ? { memory: { initial: memory.initialPages, maximum: memory.maximumPages } }
      : {}),
    snapshot,
    rights: [...options.rights],
    directories: neededDirectories(options.rights, directories),
    preopens: options.preopens ?? preopensOf(directories),
    arguments: options.arguments,
    environment: options.environment,
    clock: options.clock,
    random: options.random,
    stdin: options.stdin ?? new Uint8Array(),
    trace: options.onTrace !== undefined,
    keepPartialOutput: options.keepPartialOutput ?? false,
    ...limitsOf(options.limits),
  };
}
