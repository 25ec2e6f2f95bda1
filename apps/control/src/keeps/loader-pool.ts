// Loaders that are started ahead of need and wait for their configuration: a new keep then does not wait for a process to
// start. Whatever becomes of the control plane, one that waits ends by itself when its input ends.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { ProcessRecord } from "@holdfast/store";
import { isRunning, processMark } from "./process-mark.ts";

/** A loader that waits to be told what to load. */
export interface WaitingLoader {
  readonly process: ProcessRecord;
  /** Tells it; this is the only thing it is ever told. */
  tell(config: string): void;
  /** Ends it untold. */
  abandon(): void;
}

/** Time for a new keep to come up undisturbed before the pool is filled again. */
const REFILL_MS = 1500;

/** Loaders ahead of need. */
export class LoaderPool {
  readonly #loader: string;
  readonly #directory: string;
  readonly #size: number;
  readonly #waiting: WaitingLoader[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /**
   * @param options.loader its main file
   * @param options.directory what it compiled, and what loaders say when they can't say it elsewhere
   * @param options.size how many wait
   */
  constructor(options: { loader: string; directory: string; size: number }) {
    this.#loader = options.loader;
    this.#directory = options.directory;
    this.#size = options.size;
  }

  /** Processes of the loaders that wait. */
  get waiting(): readonly ProcessRecord[] {
    return this.#waiting.map((loader) => loader.process);
  }

  /** Gives a loader away, one that waits if there is one. */
  async take(): Promise<WaitingLoader> {
    this.#refillLater();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (await isRunning(next.process)) return next;
    }
    return await this.#start();
  }

  /** Starts what is missing. */
  async fill(): Promise<void> {
    while (!this.#closed && this.#waiting.length < this.#size) {
      const loader = await this.#start();
      if (this.#closed) loader.abandon();
      else this.#waiting.push(loader);
    }
  }

  /** Ends all that wait. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const loader of this.#waiting.splice(0)) loader.abandon();
  }

  #refillLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // One that can't be started now is started when it is needed, and fails where somebody hears of it.
      this.fill().catch(() => undefined);
    }, REFILL_MS);
    this.#timer.unref();
  }

  async #start(): Promise<WaitingLoader> {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const log = openSync(join(this.#directory, "loaders.log"), "a", 0o600);
    const child = spawn(process.execPath, [this.#loader], {
      cwd: this.#directory,
      detached: true,
      env: { NODE_COMPILE_CACHE: this.#directory },
      stdio: ["pipe", log, log],
    });
    closeSync(log);
    await once(child, "spawn");
    child.unref();
    (child.stdin as unknown as { unref?: () => void } | null)?.unref?.();
    // A loader that dies early shows by its process and state file.
    child.stdin?.on("error", () => undefined);
    return await waitingLoader(child);
  }
}

async function waitingLoader(child: ChildProcess): Promise<WaitingLoader> {
  const abandon = (): void => {
    child.stdin?.destroy();
    child.kill("SIGKILL");
  };
  const mark = child.pid === undefined ? undefined : await processMark(child.pid);
  if (child.pid === undefined || mark === undefined) {
    abandon();
    throw new Error("the loader died at once");
  }
  return {
    process: { pid: child.pid, mark },
    tell: (config) => child.stdin?.end(config),
    abandon,
  };
}
