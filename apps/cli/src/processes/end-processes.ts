// Ends processes that are no children of ours: asks, insists, and gives up in the end.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const GRACE_MS = 8000;
/** After SIGKILL only the kernel holds a process; nobody waits for that for ever. */
const GONE_MS = 10_000;
const POLL_MS = 50;

/**
 * Ends processes; each is only signalled while it is the one that was meant.
 * @param isMeant whether a number still is that process; by when it started unless told otherwise
 * @returns those that could not be ended
 */
export async function endProcesses(
  pids: readonly number[],
  isMeant: (pid: number) => boolean = sameAsNow(pids),
): Promise<number[]> {
  const left = (): number[] => pids.filter((pid) => isMeant(pid));
  for (const [name, milliseconds] of [
    ["SIGTERM", GRACE_MS],
    ["SIGKILL", GONE_MS],
  ] as const) {
    for (const pid of left()) signal(pid, name);
    const until = performance.now() + milliseconds;
    while (left().length > 0 && performance.now() < until) await sleep(POLL_MS);
  }
  return left();
}

/** When a process started, in words of the system (Linux); undefined when it is gone, a zombie, or can't be told. */
export function startMark(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in brackets may contain anything: fields are counted from its end.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function sameAsNow(pids: readonly number[]): (pid: number) => boolean {
  const marks = new Map(pids.map((pid) => [pid, startMark(pid)]));
  return (pid) => isThere(pid) && startMark(pid) === marks.get(pid);
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended by itself.
  }
}
