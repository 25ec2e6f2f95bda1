// Keeps outlive the control plane on purpose. Whoever ends a whole platform ends them too: by their loaders' state
// files, or by the folder a loader works in when it has written none yet; and only while the process is that loader.
import { globSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { endProcesses } from "./end-processes.ts";

/**
 * Ends every keep whose state is kept under a directory.
 * @returns how many had to be ended
 */
export async function endLeftoverKeeps(directory: string): Promise<number> {
  const loaders = await loadersUnder(directory);
  await endProcesses(loaders, isLoader);
  return loaders.length;
}

/** Process ids of living loaders. */
export async function loadersUnder(directory: string): Promise<number[]> {
  const told = (await livingStates(directory)).map(({ loader_pid }) => loader_pid);
  return [...new Set([...told, ...(await loadersIn(directory))])];
}

/** Loaders that work in a folder below the directory (Linux). */
async function loadersIn(directory: string): Promise<number[]> {
  const found: number[] = [];
  for (const entry of globSync("[0-9]*", { cwd: "/proc" })) {
    const pid = Number(entry);
    if (isBelow(workingDirectory(pid), directory) && isLoader(pid)) found.push(pid);
  }
  return found;
}

function workingDirectory(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // Gone, or somebody else's.
    return "";
  }
}

function isBelow(path: string, directory: string): boolean {
  try {
    return path.startsWith(`${realpathSync(directory)}/`);
  } catch {
    return false;
  }
}

/** Process ids of the keeps of living loaders. */
export async function keepsUnder(directory: string): Promise<number[]> {
  const states = await livingStates(directory);
  return states.flatMap(({ keep_pid }) => (keep_pid === undefined ? [] : [keep_pid]));
}

interface LoaderState {
  readonly loader_pid: number;
  readonly keep_pid?: number;
}

async function livingStates(directory: string): Promise<LoaderState[]> {
  const found: LoaderState[] = [];
  for (const file of globSync("**/*.json", { cwd: directory })) {
    const state = await readState(join(directory, file));
    if (state !== undefined && isLoader(state.loader_pid)) found.push(state);
  }
  return found;
}

async function readState(file: string): Promise<LoaderState | undefined> {
  try {
    const value = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown> | null;
    const loader = readPid(value?.["loader_pid"]);
    const keep = readPid(value?.["keep_pid"]);
    if (loader === undefined) return undefined;
    return { loader_pid: loader, ...(keep === undefined ? {} : { keep_pid: keep }) };
  } catch {
    // Not a state file.
    return undefined;
  }
}

function readPid(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value > 1 ? value : undefined;
}

function isLoader(pid: number): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    // Bundled, or run from its source.
    return /\/loader(?:\.mjs|\/main\.ts)\0/.test(words);
  } catch {
    // Gone; or a system without /proc, where a number alone is no proof.
    return false;
  }
}
