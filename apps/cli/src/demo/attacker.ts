// What an attacker saw: every file that the store, the bridge and the control plane held, and the control plane's memory,
// searched for what only the owner and the keep may have.
import { closeSync, globSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";

/** Something that must not be found. */
export interface Secret {
  readonly what: string;
  readonly bytes: Uint8Array;
}

/** What a search went through, and what it found. */
export interface SearchResult {
  readonly files: number;
  readonly bytes: number;
  /** `what in where`; empty when nothing was found. */
  readonly found: readonly string[];
}

const PART = 4 * 1024 * 1024;

/** A key in the forms people and programs write keys in. */
export function keyForms(what: string, key: Uint8Array): Secret[] {
  const buffer = Buffer.from(key);
  return [
    { what: `${what} (raw)`, bytes: key },
    { what: `${what} (hex)`, bytes: Buffer.from(buffer.toString("hex")) },
    { what: `${what} (base64)`, bytes: Buffer.from(buffer.toString("base64").replace(/=+$/, "")) },
  ];
}

/** Searches every file under the directories, in parts. */
export function searchFiles(
  directories: readonly string[],
  secrets: readonly Secret[],
): SearchResult {
  let files = 0;
  let bytes = 0;
  const found: string[] = [];
  for (const directory of directories) {
    for (const name of globSync("**/*", { cwd: directory })) {
      const path = join(directory, name);
      if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) continue;
      files += 1;
      const searched = searchFile(path, secrets);
      bytes += searched.bytes;
      found.push(...[...searched.found].map((what) => `${what} in ${path}`));
    }
  }
  return { files, bytes, found };
}

/**
 * Searches a process's memory, as whoever owns its machine can (Linux).
 * @returns undefined where the system does not let us look
 */
export function searchMemory(pid: number, secrets: readonly Secret[]): SearchResult | undefined {
  let maps: string;
  let memory: number;
  try {
    maps = readFileSync(`/proc/${pid}/smaps`, "utf8");
    memory = openSync(`/proc/${pid}/mem`, "r");
  } catch {
    // No such file system, or no permission: said, not hidden.
    return undefined;
  }
  try {
    let bytes = 0;
    const found = new Set<string>();
    for (const [from, to] of writableRegions(maps)) {
      bytes += searchRange(memory, from, to, secrets, found);
    }
    return bytes === 0 ? undefined : { files: 1, bytes, found: [...found] };
  } finally {
    closeSync(memory);
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

/** The first bytes of a file, sixteen a line. */
export function hexdump(path: string, length: number): string[] {
  const bytes = readStart(path, length);
  return Array.from({ length: Math.ceil(bytes.length / 16) }, (_, line) => {
    const row = bytes.subarray(line * 16, line * 16 + 16);
    const hex = [...row].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = [...row]
      .map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "."))
      .join("");
    return `${(line * 16).toString(16).padStart(6, "0")}  ${hex.padEnd(47)}  ${text}`;
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

function searchFile(
  path: string,
  secrets: readonly Secret[],
): { bytes: number; found: Set<string> } {
  const found = new Set<string>();
  const file = openSync(path, "r");
  try {
    const { size } = statSync(path);
    return { bytes: searchRange(file, 0, size, secrets, found), found };
  } finally {
    closeSync(file);
  }
}

/** Reads in parts that overlap by the longest secret, so that none hides on a border. */
function searchRange(
  file: number,
  from: number,
  to: number,
  secrets: readonly Secret[],
  found: Set<string>,
): number {
  const overlap = Math.max(0, ...secrets.map(({ bytes }) => bytes.length - 1));
  const buffer = Buffer.alloc(PART + overlap);
  let kept = 0;
  let read = 0;
  for (let at = from; at < to; ) {
    const length = readSome(file, buffer, kept, Math.min(PART, to - at), at);
    if (length === 0) break;
    const part = buffer.subarray(0, kept + length);
    for (const { what, bytes } of secrets) if (part.includes(bytes)) found.add(what);
    at += length;
    read += length;
    kept = Math.min(overlap, part.length);
    part.copy(buffer, 0, part.length - kept);
  }
  return read;
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
    // A region of memory that went away, or is not readable.
    return 0;
  }
}

/** Private writable regions that hold anything: heap, stacks and anonymous memory, not what is only reserved. */
function writableRegions(maps: string): [number, number][] {
  return maps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).flatMap((entry): [number, number][] => {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw.p/.exec(entry) ?? [];
    const resident = Number(/^Rss:\s+(\d+) kB/m.exec(entry)?.[1] ?? 0);
    const swapped = Number(/^Swap:\s+(\d+) kB/m.exec(entry)?.[1] ?? 0);
    if (from === undefined || to === undefined || resident + swapped === 0) return [];
    const range: [number, number] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
    return range[1] > Number.MAX_SAFE_INTEGER ? [] : [range];
  });
}
