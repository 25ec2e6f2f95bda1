// A loader as whoever started it has it: assigned once, and heard whenever its keep stands otherwise. It outlives its
// starter once it is assigned; before, it ends with it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ProcessRecord } from "@holdfast/store";
import { processMark } from "./process-mark.ts";
import { type LoaderState, parseLoaderState } from "./state-file.ts";

/** How to start a loader. */
export interface LoaderOptions {
  /** Its main file. */
  readonly loader: string;
  /** For what it compiled, and for what loaders say when they can't say it elsewhere. */
  readonly directory: string;
  /** What to load. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** A loader that was started. */
export class LoaderProcess {
  readonly process: ProcessRecord;
  readonly #child: ChildProcess;
  readonly #listeners = new Set<() => void>();
  #state: LoaderState | undefined;
  #gone = false;
  #assigned = false;

  private constructor(child: ChildProcess, process: ProcessRecord) {
    this.#child = child;
    this.process = process;
    child.once("exit", () => {
      this.#gone = true;
      this.#tell();
    });
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.#state = parseLoaderState(line) ?? this.#state;
      this.#tell();
    });
  }

  /**
   * Starts a loader, which is not assigned yet.
   * @throws when it can't be started, or dies at once
   */
  static async start({ loader, directory, config }: LoaderOptions): Promise<LoaderProcess> {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const log = openSync(join(directory, "loaders.log"), "a", 0o600);
    const child = spawn(process.execPath, [loader], {
      cwd: directory,
      detached: true,
      env: { NODE_COMPILE_CACHE: directory },
      stdio: ["pipe", "pipe", log],
    });
    closeSync(log);
    await once(child, "spawn");
    child.unref();
    for (const stream of [child.stdin, child.stdout]) {
      (stream as unknown as { unref?: () => void } | null)?.unref?.();
      // A loader that dies early shows by its end.
      stream?.on("error", () => undefined);
    }
    const mark = child.pid === undefined ? undefined : await processMark(child.pid);
    if (child.pid === undefined || mark === undefined) {
      child.kill("SIGKILL");
      throw new Error("the loader died at once");
    }
    const started = new LoaderProcess(child, { pid: child.pid, mark });
    child.stdin?.write(`${JSON.stringify(config)}\n`);
    return started;
  }

  /** What it said last; undefined before its first word. */
  get state(): LoaderState | undefined {
    return this.#state;
  }

  /** It has ended. */
  get isGone(): boolean {
    return this.#gone;
  }

  /** Calls back whenever it said something, and when it has ended; answers how to stop that. */
  follow(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Says what its keep is for.
   * @throws when that was said before
   */
  assign(assignment: Readonly<Record<string, unknown>>): void {
    if (this.#assigned) throw new Error("the keep is assigned already");
    this.#assigned = true;
    this.#child.stdin?.end(`${JSON.stringify(assignment)}\n`);
  }

  /** Ends it and its keep unassigned. */
  abandon(): void {
    this.#child.stdin?.destroy();
    this.#child.kill("SIGKILL");
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
