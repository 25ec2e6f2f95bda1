// One worker thread and the ring it shares with us, doing one job at a time.
import type { Worker } from "node:worker_threads";
import { createRing, RECORD, Ring } from "../host/ring.ts";
import { type Job, type JobEnd, READY } from "../worker/job.ts";
import { readJobEnd } from "./read-job-end.ts";

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
      worker.on("message", (message: unknown) => {
        if (message === READY) resolve();
        else this.#answer(message);
      });
    });
    worker.on("error", (error: Error & { code?: string }) => {
      this.#lose({ lost: error.code === "ERR_WORKER_OUT_OF_MEMORY" ? "memory" : "crashed" });
    });
    // Whatever becomes of a thread, it exits: everything that waits for it ends here at the latest.
    worker.on("exit", () => this.#lose({ lost: "terminated" }));
    worker.on("messageerror", () => this.#giveUp("crashed"));
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
    try {
      this.#worker.postMessage({ ...job, ring: this.#shared } satisfies Job);
    } catch {
      // There is no memory for the message, or something in the options that can't be sent.
      this.#giveUp("crashed");
    }
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
        this.#giveUp("receiver");
      }
    };
    try {
      while (!ended()) {
        // Between two drains others have their turn, however fast the guest writes.
        if (this.ring.drain(receive)) await turn();
        else await this.ring.readable();
      }
      this.ring.drain(receive);
    } catch {
      this.#giveUp("crashed");
    }
  }

  /** An idle thread does not keep the process alive. */
  #rest(): void {
    if (this.alive) this.#worker.unref();
  }

  #answer(untrusted: unknown): void {
    try {
      this.#settle?.(readJobEnd(untrusted));
    } catch {
      this.#giveUp("crashed");
    }
  }

  /** Ends the thread for a fault of its own, or of those it works for. */
  #giveUp(lost: Lost["lost"]): void {
    this.#lose({ lost });
    this.terminate();
  }

  #lose(how: Lost): void {
    this.#gone ??= how;
    this.#settle?.(this.#gone);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
