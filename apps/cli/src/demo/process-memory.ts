// A process's memory as whoever owns its machine can read it (Linux): the pages that are there, without the reserved rest.
import { closeSync, openSync, readFileSync, readSync } from "node:fs";

/** A stretch of addresses. */
export interface MemoryRange {
  readonly from: number;
  readonly to: number;
}

/** Memory that can be read like a file. */
export interface ProcessMemory {
  /** File descriptor; positions are addresses. */
  readonly file: number;
  readonly ranges: readonly MemoryRange[];
  close(): void;
}

const PAGE = 4096;
const ENTRY_BYTES = 8;
/** High byte of an entry: bit 63 says present, bit 62 swapped out. */
const PRESENT = 0xc0;

/**
 * Opens a process's private writable memory.
 * @returns undefined where there is no such thing, or we may not
 */
export function openMemory(pid: number): ProcessMemory | undefined {
  const open: number[] = [];
  try {
    const maps = readFileSync(`/proc/${pid}/maps`, "utf8");
    const pagemap = openSync(`/proc/${pid}/pagemap`, "r");
    open.push(pagemap);
    const file = openSync(`/proc/${pid}/mem`, "r");
    open.push(file);
    const ranges = writableRegions(maps).flatMap((region) => presentRanges(pagemap, region));
    return { file, ranges, close: () => closeAll(open) };
  } catch {
    // Not Linux, or no permission: the caller says so.
    closeAll(open);
    return undefined;
  }
}

function closeAll(files: readonly number[]): void {
  for (const file of files) closeSync(file);
}

/** Heap, stacks and anonymous memory. */
function writableRegions(maps: string): MemoryRange[] {
  return maps.split("\n").flatMap((line): MemoryRange[] => {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw.p/.exec(line) ?? [];
    if (from === undefined || to === undefined) return [];
    const range = { from: Number.parseInt(from, 16), to: Number.parseInt(to, 16) };
    return range.to > Number.MAX_SAFE_INTEGER ? [] : [range];
  });
}

function presentRanges(pagemap: number, { from, to }: MemoryRange): MemoryRange[] {
  const pages = (to - from) / PAGE;
  const entries = Buffer.alloc(pages * ENTRY_BYTES);
  const read = readSync(pagemap, entries, 0, entries.length, (from / PAGE) * ENTRY_BYTES);
  const ranges: MemoryRange[] = [];
  for (let page = 0; page < read / ENTRY_BYTES; page += 1) {
    if (((entries[page * ENTRY_BYTES + 7] ?? 0) & PRESENT) === 0) continue;
    const start = from + page * PAGE;
    const last = ranges.at(-1);
    if (last?.to === start) ranges[ranges.length - 1] = { from: last.from, to: start + PAGE };
    else ranges.push({ from: start, to: start + PAGE });
  }
  return ranges;
}
