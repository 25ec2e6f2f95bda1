// The `holdfast` command as a process, the way a person starts it, and what it leaves behind.
import { type ChildProcess, spawn } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Root of the repository. */
export const ROOT: string = resolve(import.meta.dirname, "../..");
const MAIN = resolve(ROOT, "apps/cli/src/main.ts");
/** After this a command, or one that is to go on, is taken to wait for ever. */
const LIMIT_MS = 240_000;
const LASTING_MS = 3 * LIMIT_MS;
const POLL_MS = 50;

/** What a command did. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command is run. */
export interface RunOptions {
  readonly cwd: string;
  /** Its directory of temporary files. */
  readonly temporary?: string;
  /** What it reads on standard input. */
  readonly input?: string;
  /** Variables besides the test's own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** It goes on until it is ended. */
  readonly lasting?: boolean;
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly done: Promise<Ran>;
  /** Waits until stdout has a line that matches; rejects when the command ends first. */
  until(pattern: RegExp): Promise<void>;
}

/** Starts a command; in a process group of its own, as a terminal starts it. */
export function start(argv: readonly string[], options: RunOptions): Running {
  const child = spawn(process.execPath, [MAIN, ...argv], {
    cwd: options.cwd,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
    env: {
      ...process.env,
      ...(options.temporary === undefined ? {} : { TMPDIR: options.temporary }),
      ...options.environment,
    },
  });
  // It need not read what it is given.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input);
  const said = { stdout: "", stderr: "" };
  const watchers = new Set<() => void>();
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      said[stream] += text;
      for (const watch of watchers) watch();
    });
  }
  const done = new Promise<Ran>((fulfil, reject) => {
    const milliseconds = options.lasting === true ? LASTING_MS : LIMIT_MS;
    const limit = setTimeout(() => {
      // Its guard ends what it started.
      child.kill("SIGKILL");
      const words = `${said.stdout.slice(-2000)}\n${said.stderr.slice(-2000)}`;
      reject(new Error(`holdfast ${argv.join(" ")} goes on after ${milliseconds} ms:\n${words}`));
    }, milliseconds);
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(limit);
      fulfil({ code, ...said });
    });
  });
  // Whoever waits for the end hears of it; a test that has failed before waits no more.
  done.catch(() => undefined);
  return {
    child,
    done,
    until: (pattern) =>
      new Promise((fulfil, reject) => {
        const watch = (): void => {
          if (!pattern.test(said.stdout)) return;
          watchers.delete(watch);
          fulfil();
        };
        watchers.add(watch);
        watch();
        done.then(
          ({ code, stderr }) =>
            reject(new Error(`it ended with ${code} before saying ${pattern}: ${stderr}`)),
          reject,
        );
      }),
  };
}

/** Runs a command to its end. */
export function run(argv: readonly string[], options: RunOptions): Promise<Ran> {
  return start(argv, options).done;
}

/** A process, with the time it was started at: numbers are used again. */
export interface Process {
  readonly pid: number;
  readonly started: string;
  readonly command: string;
}

/** Every process below one (Linux), and the keeps and loaders that state files under a directory name. */
export function processesOf(parent: number, stateDirectory: string): Process[] {
  const all = new Map<number, number>();
  for (const entry of globSync("[0-9]*", { cwd: "/proc" })) {
    const fields = statOf(Number(entry));
    if (fields !== undefined) all.set(Number(entry), Number(fields[1]));
  }
  const below = [parent];
  for (const pid of below) {
    for (const [child, of] of all) if (of === pid && !below.includes(child)) below.push(child);
  }
  const named = globSync("**/*.json", { cwd: stateDirectory }).flatMap((file) => {
    try {
      const state = JSON.parse(readFileSync(join(stateDirectory, file), "utf8"));
      return [state?.loader_pid, state?.keep_pid].filter((pid) => typeof pid === "number");
    } catch {
      return [];
    }
  });
  return [...new Set([...below, ...named])].flatMap((pid) => {
    const fields = statOf(pid);
    return fields === undefined
      ? []
      : [{ pid, started: fields[19] ?? "", command: commandOf(pid) }];
  });
}

/** Whether a process is still there. */
export function isAlive({ pid, started }: Process): boolean {
  const fields = statOf(pid);
  return fields !== undefined && fields[19] === started && fields[0] !== "Z";
}

/**
 * Waits until something holds.
 * @throws Error when it does not come about
 */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const limit = performance.now() + LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > limit) throw new Error(`it does not come about: ${what}`);
    await sleep(POLL_MS);
  }
}

/** Fields of /proc/PID/stat from the third on: state, parent, ... and start time at index 19. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}
