// A process that the command starts, watches and ends. It gets a session of its own: Ctrl-C on a terminal reaches the
// command alone, which then ends its processes in order.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, createReadStream, fstatSync, openSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../errors.ts";
import { COMPILE_CACHE } from "./checkout.ts";

/** How a process is started. */
export interface ServiceOptions {
  readonly name: string;
  /** The script and its arguments; never secrets. */
  readonly arguments: readonly string[];
  readonly logFile: string;
  /** Written to its standard input, which is then closed. */
  readonly input?: string;
  /** Variables besides the command's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** How a process ended. */
export interface ServiceEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const GRACE_MS = 8000;
const POLL_MS = 40;
/** Of a log, when it is to say why a service did not start. */
const MAXIMUM_LOG = 1 << 20;

/** A running service. */
export class ChildService {
  readonly name: string;
  readonly logFile: string;
  readonly ended: Promise<ServiceEnd>;
  readonly #child: ChildProcess;
  /** Where its words begin in the log, which has those of earlier ones, too. */
  readonly #logStart: number;
  #end: ServiceEnd | undefined;

  private constructor(options: ServiceOptions, child: ChildProcess, logStart: number) {
    this.#logStart = logStart;
    this.name = options.name;
    this.logFile = options.logFile;
    this.#child = child;
    this.ended = new Promise((resolve) => {
      const settle = (end: ServiceEnd): void => {
        this.#end ??= end;
        resolve(this.#end);
      };
      child.once("exit", (code, signal) => settle({ code, signal }));
      child.once("error", () => settle({ code: null, signal: null }));
    });
  }

  /** Starts a process of Node. */
  static start(options: ServiceOptions): ChildService {
    const log = openSync(options.logFile, "a", 0o600);
    const { size } = fstatSync(log);
    try {
      const child = spawn(process.execPath, [...options.arguments], {
        detached: true,
        stdio: [options.input === undefined ? "ignore" : "pipe", log, log],
        // A person's token is for his own calls.
        env: {
          ...process.env,
          NODE_COMPILE_CACHE: COMPILE_CACHE,
          HOLDFAST_TOKEN: undefined,
          ...options.environment,
        },
      });
      child.stdin?.on("error", () => undefined);
      child.stdin?.end(options.input);
      return new ChildService(options, child, size);
    } finally {
      closeSync(log);
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#end === undefined;
  }

  /** Waits until the service answers anything at all. */
  waitAnswering(url: string, signal: AbortSignal): Promise<void> {
    return this.waitUntil(() => answers(url), signal);
  }

  /**
   * Waits until the service is ready.
   * @throws CliError CLI_PROCESS when it ends first, with the end of its log, or when it takes too long
   */
  async waitUntil(
    isReady: () => Promise<boolean>,
    signal: AbortSignal,
    timeoutMs = 30_000,
  ): Promise<void> {
    const until = performance.now() + timeoutMs;
    while (!(await isReady())) {
      if (signal.aborted) throw new CliError("CLI_INTERRUPTED", "interrupted", { exitCode: 130 });
      if (!this.isRunning) throw await this.#failure("ended before it was ready");
      if (performance.now() > until) throw await this.#failure("is not ready in time");
      await sleep(POLL_MS);
    }
  }

  /** Ends it: asks first, then insists. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill("SIGTERM");
    // The timer must not hold the command back once the service is gone.
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), GRACE_MS);
    await this.ended;
    clearTimeout(timer);
  }

  /** Ends it without asking, as a crash would. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  async #failure(what: string): Promise<CliError> {
    const last = lastWords(await this.#log());
    const isInUse = last.includes("DATA_IN_USE");
    return new CliError("CLI_PROCESS", `${this.name} ${what}`, {
      ...(last === "" ? {} : { cause: new Error(last) }),
      hint: isInUse
        ? "another platform runs with this data directory: use that one, or choose another --data-dir"
        : `read its log: ${this.logFile}`,
    });
  }

  async #log(): Promise<string> {
    const bounds = { start: this.#logStart, end: this.#logStart + MAXIMUM_LOG };
    const bytes = await buffer(createReadStream(this.logFile, bounds)).catch(() => "");
    return bytes.toString();
  }
}

/** The lines of a log that say most: plain words before records, errors before their stacks, else the last ones. */
function lastWords(log: string): string {
  const all = log.split("\n").filter((line) => line.trim() !== "" && !/^\s+at /.test(line));
  const plain = all.filter((line) => !line.startsWith("{"));
  const lines = plain.length > 0 ? plain : all;
  const errors = lines.filter((line) => /error/i.test(line));
  return (errors.length > 0 ? errors : lines).slice(-2).join(" | ").slice(0, 800);
}

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await answer.body?.cancel();
    return true;
  } catch {
    // Not yet: the caller decides how long to go on.
    return false;
  }
}
