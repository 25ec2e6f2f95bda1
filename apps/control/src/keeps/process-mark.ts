// Tells a process from a later one of the same number: numbers are used again, the pair of number and start time is not.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import type { ProcessRecord } from "@holdfast/store";

const run = promisify(execFile);

/** The mark of a running process; undefined when there is none, or only its remains. */
export async function processMark(pid: number): Promise<string | undefined> {
  return process.platform === "linux" ? linuxMark(pid) : psMark(pid);
}

/** Whether this very process still runs. */
export async function isRunning({ pid, mark }: ProcessRecord): Promise<boolean> {
  return (await processMark(pid)) === mark;
}

/** Sends a signal to this very process; false when it is gone. */
export async function signalProcess(
  target: ProcessRecord,
  signal: NodeJS.Signals,
): Promise<boolean> {
  if (!(await isRunning(target))) return false;
  try {
    process.kill(target.pid, signal);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw cause;
  }
}

/** Fields after the name, which may hold spaces and parentheses itself (proc(5)): state, threads and start time. */
async function linuxMark(pid: number): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [state, threads, started] = [fields[0], Number(fields[17]), fields[19]];
    // While other threads of it are still going down, a dead process holds its ports.
    const isDead = state === "X" || (state === "Z" && threads <= 1);
    return isDead ? undefined : started;
  } catch {
    return undefined;
  }
}

async function psMark(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await run("ps", ["-o", "stat=,lstart=", "-p", String(pid)]);
    const [, state, started] = /^\s*(\S+)\s+(.*?)\s*$/.exec(stdout) ?? [];
    return state === undefined || state.startsWith("Z") ? undefined : started;
  } catch {
    return undefined;
  }
}
