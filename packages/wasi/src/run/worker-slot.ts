// One worker thread and the ring it shares with us, doing one job at a time.
import type { Worker } from "node:worker_threads";
import { createRing, RECORD, Ring } from "../host/ring.ts";
import { type Job, type JobEnd, READY } from "../worker/job.ts";

/** Where streams and traces go. */
export interface Receivers {
  readonly output: (stream: "stdout" | "stderr", bytes: Uint8Array) => void;
  readonly trace: (line: string) => void;
}

/** How a job ended when the worker could not say so. */
export interface Lost {
  readonly lost: "terminated" | "memory" | "crashed" | "receiver";
}

/** A worker thread. */
export class WorkerSlot {
  readonly ring: Ring;
  readonly #shared = createRing();
  readonly #worker: Worker;
  readonly #ready: Promise<void>;
  #settle: ((end: JobEnd | Lost) => void) | undefined;
  #gone: Lost | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.ring = new Ring(this.#shared);
    worker.unref();
    this.#ready = new Promise((resolve) => {
      worker.once("exit", () => resolve());
      worker.on("message", (message: JobEnd | typeof READY) => {
        if (message === READY) resolve();
        else this.#settle?.(message);
      });
    });
    worker.on("error", (error: Error & { code?: string }) => {
      this.#lose({ lost: error.code === "ERR_WORKER_OUT_OF_MEMORY" ? "memory" : "crashed" });
    });
    worker.on("exit", () => this.#lose({ lost: "terminated" }));
  }

  /** Whether the thread still lives. */
  get alive(): boolean {
    return this.#gone === undefined;
  }

  /** Waits until the thread takes jobs, or is gone. */
  async ready(): Promise<void> {
    this.#worker.ref();
    await this.#ready;
    this.#rest();
  }

  /** Does a job; streams are given on while it runs, and all of them before the answer. */
  async work(job: Omit<Job, "ring">, receivers: Receivers): Promise<JobEnd | Lost> {
    if (this.#gone !== undefined) return this.#gone;
    this.ring.reset();
    let ended = false;
    const end = new Promise<JobEnd | Lost>((resolve) => {
      this.#settle = resolve;
    });
    this.#worker.ref();
    this.#worker.postMessage({ ...job, ring: this.#shared } satisfies Job);
    const following = this.#follow(receivers, () => ended);
    const answer = await end;
    ended = true;
    this.ring.wake();
    await following;
    this.#settle = undefined;
    this.#rest();
    return answer;
  }

  /** Ends the thread, whatever it does. */
  terminate(): void {
    void this.#worker.terminate();
  }

  async #follow(receivers: Receivers, ended: () => boolean): Promise<void> {
    const decoder = new TextDecoder();
    const give = (kind: number, bytes: Uint8Array): void => {
      if (kind === RECORD.trace) receivers.trace(decoder.decode(bytes));
      else receivers.output(kind === RECORD.stdout ? "stdout" : "stderr", bytes);
    };
    let deaf = false;
    const receive = (kind: number, bytes: Uint8Array): void => {
      if (deaf) return;
      try {
        give(kind, bytes);
      } catch {
        // Whoever follows the run can't any more: a run that nobody hears is ended rather than left to fill up.
        deaf = true;
        this.#lose({ lost: "receiver" });
        this.terminate();
      }
    };
    while (!ended()) {
      this.ring.drain(receive);
      await this.ring.readable();
    }
    this.ring.drain(receive);
  }

  /** An idle thread does not keep the process alive. */
  #rest(): void {
    if (this.alive) this.#worker.unref();
  }

  #lose(how: Lost): void {
    this.#gone ??= how;
    this.#settle?.(this.#gone);
  }
}
