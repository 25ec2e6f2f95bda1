// Which instances this process is working on just now, so that a deletion can stop the work and wait for its end.

interface Work {
  readonly abort: AbortController;
  readonly done: Promise<unknown>;
}

/** Work in progress by instance key. */
export class InstanceWorks {
  readonly #works = new Map<string, Work>();
  readonly #shutdown = new AbortController();

  /** Aborted when the process ends. */
  get shutdown(): AbortSignal {
    return this.#shutdown.signal;
  }

  /** Runs a piece of work; another on the same instance waits for it first. */
  async run<T>(key: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    await this.settled(key);
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

  /** Whether something is being done with the instance. */
  isBusy(key: string): boolean {
    return this.#works.has(key);
  }

  /** Stops what is being done and waits until it has ended. */
  async stop(key: string): Promise<void> {
    this.#works.get(key)?.abort.abort();
    await this.settled(key);
  }

  /** Waits for what is being done. */
  async settled(key: string): Promise<void> {
    for (let work = this.#works.get(key); work !== undefined; work = this.#works.get(key)) {
      await work.done;
    }
  }

  /** Stops everything; what is unfinished is taken up again by the next process. */
  async stopAll(): Promise<void> {
    this.#shutdown.abort();
    await Promise.all([...this.#works.keys()].map((key) => this.stop(key)));
  }
}
