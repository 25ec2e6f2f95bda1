// Keeps that are started ahead of need: measured, attested once, waiting for their policy. One that dies is replaced, one
// that has another measurement than the bundle has now is ended, and whatever becomes of the control plane, one that
// waits ends by itself when its loader's input ends.
import type { LoaderProcess } from "./loader-process.ts";
import { isRunning } from "./process-mark.ts";

/** How a pool works. */
export interface PoolOptions {
  /** Starts a loader whose keep is to wait. */
  readonly start: () => Promise<LoaderProcess>;
  /** Within which a keep must have come to waiting. */
  readonly patienceMs: number;
  /** Told why a keep did not come to waiting, or did not stay there. */
  readonly onFault: (reason: string) => void;
  /** Milliseconds that only grow. */
  readonly now?: () => number;
}

interface Entry {
  readonly loader: LoaderProcess;
  readonly startedAt: number;
  /** What it was expected to measure to. */
  readonly expected: string;
  readonly unfollow: () => void;
}

/** Time for a keep that was taken to come up undisturbed before another one is started. */
const QUIET_MS = 300;
/** Waits after keeps that failed, doubled up to the second. */
const LEAST_RETRY_MS = 1000;
const MOST_RETRY_MS = 60_000;

/** Keeps ahead of need. */
export class KeepPool {
  readonly #options: Required<PoolOptions>;
  readonly #entries: Entry[] = [];
  #wanted: { readonly most: number; readonly measurement: string } = { most: 0, measurement: "" };
  #isStarting = false;
  #closed = false;
  #notBefore = 0;
  #retryMs = LEAST_RETRY_MS;

  constructor(options: PoolOptions) {
    this.#options = { now: () => performance.now(), ...options };
  }

  /** How many keeps wait. */
  get waiting(): number {
    return this.#entries.filter(isWaiting).length;
  }

  /** How many there are, those that are still starting included. */
  get size(): number {
    return this.#entries.length + (this.#isStarting ? 1 : 0);
  }

  /**
   * Comes closer to so many keeps of a measurement that wait: ends those that are too many or another's, starts the next
   * of those that are missing. To be called from time to time.
   */
  keep(most: number, measurement: string): void {
    if (this.#closed) return;
    this.#wanted = { most, measurement };
    for (const entry of [...this.#entries]) {
      const measured = entry.loader.state?.measurement;
      if (measured !== undefined && measured !== "" && measured !== measurement) {
        this.#end(entry);
        // It was not overtaken by another bundle: the next one would measure to the same.
        if (entry.expected === measurement) this.#fault(`it measures to ${measured}`);
      } else if (this.#isLate(entry)) {
        this.#end(entry);
        this.#fault(`it was not ready within ${this.#options.patienceMs} ms`);
      }
    }
    // The youngest go first: they are the furthest from being ready.
    while (this.#entries.length > most) this.#end(this.#entries.at(-1));
    this.#startNext();
  }

  /**
   * Gives a keep of a measurement away, one that waits if there is one, else one that will.
   * @returns undefined when there is none
   */
  async take(measurement: string): Promise<LoaderProcess | undefined> {
    for (;;) {
      const fitting = this.#entries.filter(
        ({ loader }) => !loader.isGone && loader.state?.measurement === measurement,
      );
      const entry = fitting.find(isWaiting) ?? fitting[0];
      if (entry === undefined) return undefined;
      this.#remove(entry);
      const now = this.#options.now();
      if (this.#notBefore < now) this.#notBefore = now + QUIET_MS;
      if (await isRunning(entry.loader.process)) return entry.loader;
    }
  }

  /** Ends all that wait; no more are started. */
  close(): void {
    this.#closed = true;
    for (const entry of [...this.#entries]) this.#end(entry);
  }

  /** One at a time: several that start at once are each as late as the last. */
  #startNext(): void {
    const isBusy = this.#isStarting || !this.#entries.every(isWaiting);
    const isDue = this.#options.now() >= this.#notBefore;
    if (isBusy || !isDue || this.#entries.length >= this.#wanted.most) return;
    this.#isStarting = true;
    const { measurement } = this.#wanted;
    this.#options.start().then(
      (loader) => {
        this.#isStarting = false;
        this.#add(loader, measurement);
      },
      (thrown: unknown) => {
        this.#isStarting = false;
        this.#fault(thrown instanceof Error ? thrown.message : String(thrown));
      },
    );
  }

  #add(loader: LoaderProcess, expected: string): void {
    if (this.#closed || this.#entries.length >= this.#wanted.most) {
      loader.abandon();
      return;
    }
    const entry: Entry = {
      loader,
      startedAt: this.#options.now(),
      expected,
      unfollow: loader.follow(() => this.#heard(entry)),
    };
    this.#entries.push(entry);
    // It may have come to its end before anybody listened.
    this.#heard(entry);
  }

  #heard(entry: Entry): void {
    const { loader } = entry;
    if (loader.isGone) {
      this.#remove(entry);
      this.#fault(loader.state?.reason ?? "its loader vanished");
    }
    if (isWaiting(entry)) {
      this.#retryMs = LEAST_RETRY_MS;
      this.#startNext();
    }
  }

  #fault(reason: string): void {
    this.#notBefore = this.#options.now() + this.#retryMs;
    this.#retryMs = Math.min(2 * this.#retryMs, MOST_RETRY_MS);
    this.#options.onFault(reason);
  }

  #isLate(entry: Entry): boolean {
    return !isWaiting(entry) && this.#options.now() - entry.startedAt > this.#options.patienceMs;
  }

  #end(entry: Entry | undefined): void {
    if (entry === undefined) return;
    this.#remove(entry);
    entry.loader.abandon();
  }

  #remove(entry: Entry): void {
    entry.unfollow();
    const index = this.#entries.indexOf(entry);
    if (index >= 0) this.#entries.splice(index, 1);
  }
}

function isWaiting({ loader }: Pick<Entry, "loader">): boolean {
  return loader.state?.state === "waiting" && !loader.isGone;
}
