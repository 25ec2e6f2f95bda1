// Keeps outlive the control plane on purpose. Whoever ends a whole platform ends them too: by their loaders' state
// files, and only while the process there still is that loader.
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { sleep } from "./child-service.ts";

const GRACE_MS = 5000;
const POLL_MS = 50;

/**
 * Ends every keep whose state is kept under a directory.
 * @returns how many had to be ended
 */
export async function endLeftoverKeeps(directory: string): Promise<number> {
  const loaders = await loadersUnder(directory);
  for (const pid of loaders) signal(pid, "SIGTERM");
  const until = performance.now() + GRACE_MS;
  while (performance.now() < until && (await anyLoader(loaders))) await sleep(POLL_MS);
  for (const pid of loaders) if (await isLoader(pid)) signal(pid, "SIGKILL");
  return loaders.length;
}

/** Process ids of living loaders. */
export async function loadersUnder(directory: string): Promise<number[]> {
  const found: number[] = [];
  for (const file of globSync("**/*.json", { cwd: directory })) {
    const pid = await loaderPid(join(directory, file));
    if (pid !== undefined && (await isLoader(pid))) found.push(pid);
  }
  return found;
}

async function loaderPid(file: string): Promise<number | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, "utf8"));
    const pid = (value as { loader_pid?: unknown } | null)?.loader_pid;
    return typeof pid === "number" && Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    // Not a state file.
    return undefined;
  }
}

async function isLoader(pid: number): Promise<boolean> {
  try {
    const words = await readFile(`/proc/${pid}/cmdline`, "utf8");
    return words.includes("loader/main.ts");
  } catch {
    // Gone; or a system without /proc, where a number alone is no proof.
    return false;
  }
}

async function anyLoader(pids: readonly number[]): Promise<boolean> {
  return (await Promise.all(pids.map(isLoader))).some(Boolean);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended by itself.
  }
}
