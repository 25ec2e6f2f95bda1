// Who works on which instance. Within this process a deletion can stop the work and wait for its end; between processes
// on one database a lease keeps two from working on the same instance, and ends by itself when its holder dies.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "@holdfast/core";
import type { InstanceRepository } from "@holdfast/store";
import { ControlError } from "../errors.ts";

interface Work {
  readonly abort: AbortController;
  readonly done: Promise<unknown>;
}

const LEASE_MS = 15_000;
const RENEW_MS = 4000;
const POLL_MS = 200;
const PATIENCE_MS = 40_000;

/** Work in progress by instance key. */
export class InstanceWorks {
  readonly owner: string = randomUUID();
  readonly #instances: InstanceRepository;
  readonly #clock: Clock;
  readonly #works = new Map<string, Work>();
  readonly #shutdown = new AbortController();

  constructor(instances: InstanceRepository, clock: Clock) {
    this.#instances = instances;
    this.#clock = clock;
  }

  /** Aborted when the process ends. */
  get shutdown(): AbortSignal {
    return this.#shutdown.signal;
  }

  /** A lease that begins now. */
  lease(): { owner: string; until: string } {
    return { owner: this.owner, until: this.#times().until };
  }

  /**
   * Runs a piece of work once nobody else works on the instance.
   * @throws ControlError INSTANCE_BUSY when somebody does for too long
   */
  async run<T>(key: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    // Several may have waited for the same work: only the first of them finds nobody at it.
    while (this.isBusy(key)) await this.#settled(key);
    return await this.#enter(key, async (signal) => {
      for (let waited = 0; !(await this.#claim(key)); waited += POLL_MS) {
        // Whoever worked on it has removed it: there is nothing left to wait for.
        if ((await this.#instances.findByKey(key)) === undefined) return await work(signal);
        if (waited > PATIENCE_MS) {
          throw new ControlError(503, "INSTANCE_BUSY", "another process works on the instance");
        }
        await sleep(POLL_MS, undefined, { signal });
      }
      return await this.#whileRenewing(key, work, signal);
    });
  }

  /** Runs a piece of work unless somebody works on the instance. */
  async tryRun(key: string, work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    if (this.isBusy(key)) return;
    await this.#enter(key, async (signal) => {
      if (await this.#claim(key)) await this.#whileRenewing(key, work, signal);
    });
  }

  /** Whether this process does something with the instance. */
  isBusy(key: string): boolean {
    return this.#works.has(key);
  }

  /** Stops what this process does with the instance, and waits until it has ended. */
  async stop(key: string): Promise<void> {
    this.#works.get(key)?.abort.abort();
    await this.#settled(key);
  }

  /** Stops everything; what is unfinished is taken up again by the next process. */
  async stopAll(): Promise<void> {
    this.#shutdown.abort();
    await Promise.all([...this.#works.keys()].map((key) => this.stop(key)));
  }

  async #enter<T>(key: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    const done = work(abort.signal);
    const entry = { abort, done: done.catch(() => undefined) };
    this.#works.set(key, entry);
    try {
      return await done;
    } finally {
      if (this.#works.get(key) === entry) this.#works.delete(key);
    }
  }

  async #whileRenewing<T>(
    key: string,
    work: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const lost = new AbortController();
    const timer = setInterval(() => {
      this.#claim(key).then(
        (held) => held || lost.abort(),
        // A database that does not answer for a moment is no loss yet.
        () => undefined,
      );
    }, RENEW_MS);
    try {
      return await work(AbortSignal.any([signal, lost.signal]));
    } finally {
      clearInterval(timer);
      await this.#instances.release(key, this.owner).catch(() => undefined);
    }
  }

  #claim(key: string): Promise<boolean> {
    return this.#instances.claim(key, this.owner, this.#times());
  }

  async #settled(key: string): Promise<void> {
    for (let work = this.#works.get(key); work !== undefined; work = this.#works.get(key)) {
      await work.done;
    }
  }

  #times(): { now: string; until: string } {
    const now = this.#clock.now();
    return {
      now: now.toISOString(),
      until: new Date(now.getTime() + LEASE_MS).toISOString(),
    };
  }
}
