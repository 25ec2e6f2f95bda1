// What an attacker saw: every file that the store, the bridge and the control plane held, and the control plane's memory,
// searched for what only the owner and the keep may have.
import { closeSync, globSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Pattern, PatternSearch } from "./pattern-search.ts";
import { openMemory } from "./process-memory.ts";

/** What a search went through, and what it found. */
export interface SearchResult {
  readonly files: number;
  readonly bytes: number;
  /** `what in where`; empty when nothing was found. */
  readonly found: readonly string[];
}

const PART = 4 * 1024 * 1024;

/** A key in the forms people and programs write keys in. */
export function keyForms(what: string, key: Uint8Array): Pattern[] {
  const buffer = Buffer.from(key);
  return [
    { what: `${what} (raw)`, bytes: key },
    { what: `${what} (hex)`, bytes: Buffer.from(buffer.toString("hex")) },
    { what: `${what} (base64)`, bytes: Buffer.from(buffer.toString("base64").replace(/=+$/, "")) },
  ];
}

/** The patterns that a file holds. */
export function searchOne(path: string, secrets: readonly Pattern[]): ReadonlySet<string> {
  const search = new PatternSearch(secrets);
  searchFile(path, statSync(path).size, search);
  return search.found;
}

/** Searches every file under the directories, in parts. */
export function searchFiles(
  directories: readonly string[],
  secrets: readonly Pattern[],
): SearchResult {
  let files = 0;
  let bytes = 0;
  const found: string[] = [];
  for (const directory of directories) {
    for (const name of globSync("**/*", { cwd: directory })) {
      const path = join(directory, name);
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat?.isFile() !== true) continue;
      const search = new PatternSearch(secrets);
      bytes += searchFile(path, stat.size, search);
      files += 1;
      found.push(...[...search.found].map((what) => `${what} in ${path}`));
    }
  }
  return { files, bytes, found };
}

/**
 * Searches a process's memory, as whoever owns its machine can.
 * @returns undefined where the system does not let us look
 */
export function searchMemory(pid: number, secrets: readonly Pattern[]): SearchResult | undefined {
  const memory = openMemory(pid);
  if (memory === undefined) return undefined;
  try {
    const search = new PatternSearch(secrets);
    const bytes = memory.ranges.reduce(
      (sum, { from, to }) => sum + searchRange(memory.file, from, to, search),
      0,
    );
    return bytes === 0 ? undefined : { files: 1, bytes, found: [...search.found] };
  } finally {
    memory.close();
  }
}

/** Shannon entropy in bits a byte; 8 is what random bytes have. */
export function entropy(bytes: Uint8Array): number {
  const counts = new Float64Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  return counts.reduce((sum, count) => {
    const share = count / bytes.length;
    return count === 0 ? sum : sum - share * Math.log2(share);
  }, 0);
}

/** Bytes as people read them, sixteen a line. */
export function hexdump(bytes: Uint8Array): string[] {
  return Array.from({ length: Math.ceil(bytes.length / 16) }, (_, line) => {
    const row = [...bytes.subarray(line * 16, line * 16 + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "."));
    return `${(line * 16).toString(16).padStart(6, "0")}  ${hex.padEnd(47)}  ${text.join("")}`;
  });
}

/** The first bytes of a file. */
export function readStart(path: string, length: number): Uint8Array {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(file, bytes, 0, length, 0));
  } finally {
    closeSync(file);
  }
}

function searchFile(path: string, size: number, search: PatternSearch): number {
  const file = openSync(path, "r");
  try {
    return searchRange(file, 0, size, search);
  } finally {
    closeSync(file);
  }
}

/** Reads in parts that overlap by the longest pattern, so that none hides on a border. */
function searchRange(file: number, from: number, to: number, search: PatternSearch): number {
  const buffer = Buffer.alloc(Math.min(PART, to - from) + search.overlap);
  let kept = 0;
  let at = from;
  while (at < to) {
    const length = readSome(file, buffer, kept, Math.min(PART, to - at), at);
    if (length === 0) break;
    const part = buffer.subarray(0, kept + length);
    search.search(part);
    at += length;
    kept = Math.min(search.overlap, part.length);
    part.copy(buffer, 0, part.length - kept);
  }
  return at - from;
}

function readSome(
  file: number,
  buffer: Buffer,
  at: number,
  length: number,
  position: number,
): number {
  try {
    return readSync(file, buffer, at, length, position);
  } catch {
    // Memory that went away, or is not readable.
    return 0;
  }
}
