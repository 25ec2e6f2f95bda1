// Keeps the memory of this process off the disk: private keys of users pass through it.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

const PATIENCE_MS = 5000;

/**
 * Has the system write no core file of this process if it crashes, nor of those that it starts.
 * @returns whether that is so now; false where nobody can tell
 */
export async function forbidCoreDumps(): Promise<boolean> {
  if (await areForbidden()) return true;
  try {
    // Node can't set limits of its own process; lowering them needs no right.
    await promisify(execFile)("prlimit", [`--pid=${process.pid}`, "--core=0:0"], {
      timeout: PATIENCE_MS,
    });
  } catch {
    return false;
  }
  return await areForbidden();
}

async function areForbidden(): Promise<boolean> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  return /^Max core file size +0 +0 /m.test(limits);
}
