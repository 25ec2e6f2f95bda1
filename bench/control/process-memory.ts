// How much memory another process holds, as Linux counts it.
import { readFileSync, writeFileSync } from "node:fs";

const MEBIBYTE_KIB = 1024;

/** Resident memory now, in MiB. */
export function residentMib(pid: number): number {
  return statusMib(pid, "VmRSS");
}

/** The most that was resident since the peak was reset, or since the start, in MiB. */
export function peakMib(pid: number): number {
  return statusMib(pid, "VmHWM");
}

/** Begins a new peak. */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

function statusMib(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(
    Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / MEBIBYTE_KIB,
  );
}
