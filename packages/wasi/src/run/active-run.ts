// A run under way: waits for its worker, ends it when told to or when its time is over, and says how it ended.
import type { Job, JobEnd } from "../worker/job.ts";
import type { Run, RunOptions, RunOutcome } from "./options.ts";
import type { Lost, WorkerSlot } from "./worker-slot.ts";

const LOST_REASONS: Readonly<Record<Lost["lost"], string>> = {
  memory: "RUN_OUT_OF_MEMORY",
  crashed: "RUN_WORKER_LOST",
  terminated: "RUN_WORKER_LOST",
  receiver: "RUN_RECEIVER_FAILED",
};

type Stop = { readonly state: "cancelled" } | { readonly state: "limit"; readonly reason: string };

/** A run under way. */
export class ActiveRun implements Run {
  readonly done: Promise<RunOutcome>;
  readonly #slot: WorkerSlot;
  readonly #options: RunOptions;
  readonly #graceMs: number;
  #stop: Stop | undefined;
  #begun = false;
  #grace: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(
    slot: WorkerSlot,
    job: Omit<Job, "ring">,
    options: RunOptions,
    graceMs: number,
    giveBack: (reusable: boolean) => void,
  ) {
    this.#slot = slot;
    this.#options = options;
    this.#graceMs = graceMs;
    this.done = this.#run(job, giveBack);
  }

  cancel(): void {
    this.#end({ state: "cancelled" });
  }

  async #run(job: Omit<Job, "ring">, giveBack: (reusable: boolean) => void): Promise<RunOutcome> {
    await this.#slot.ready();
    const startedAt = performance.now();
    this.#begun = true;
    const wallTimeMs = this.#options.limits?.wallTimeMs;
    const timer =
      wallTimeMs === undefined
        ? undefined
        : setTimeout(
            () => this.#end({ state: "limit", reason: "RUN_WALL_TIME" }),
            Math.min(wallTimeMs, 2 ** 31 - 1),
          );
    const end = await this.#slot.work(job, {
      output: (stream, bytes) => this.#options.onOutput?.(stream, bytes),
      trace: (line) => this.#options.onTrace?.(line),
    });
    clearTimeout(timer);
    clearTimeout(this.#grace);
    this.#ended = true;
    const outcome = this.#outcome(end, performance.now() - startedAt);
    giveBack("lost" in end ? false : end.reusable);
    return outcome;
  }

  #end(stop: Stop): void {
    if (this.#ended || this.#stop !== undefined) return;
    this.#stop = stop;
    if (this.#begun && this.#options.keepPartialOutput === true) {
      this.#slot.ring.stop();
      this.#grace = setTimeout(() => this.#slot.terminate(), this.#graceMs);
    } else {
      this.#slot.terminate();
    }
  }

  #outcome(end: JobEnd | Lost, elapsedMs: number): RunOutcome {
    const counts = this.#slot.ring.counts;
    if ("lost" in end) {
      const facts = { inputs: [], outputs: [], durationMs: elapsedMs, ...counts };
      if (this.#stop !== undefined) return { ...this.#stop, ...facts };
      return { state: "failed", reason: LOST_REASONS[end.lost], ...facts };
    }
    const { reusable: _reusable, ...told } = end;
    const outputs = (end.changes?.written ?? [])
      .filter(({ kind }) => kind === "file")
      .map(({ path }) => path)
      .sort();
    // A run that was asked to end and then came to a call says cancelled, whatever the request was.
    const state = end.state === "cancelled" && this.#stop !== undefined ? this.#stop : {};
    return { ...told, ...state, outputs, ...counts };
  }
}
