// Committed files of a keep, in memory. Nothing half-written is ever seen; runs get a snapshot and give back changes.
import type { Clock } from "@holdfast/core";
import type { Changes, Snapshot } from "./snapshot.ts";

/** What `stat` and `list` say. */
export interface FileStat {
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink";
  readonly size: number;
  /** When the content was committed; the epoch where the clock is off. */
  readonly modified: Date;
}

/** A file being written; nobody sees it before `commit`. */
export interface FileWriter {
  /** Bytes so far, with those the file had when appending. */
  readonly size: number;
  /** @throws WasiError STORE_FULL; STORE_CLOSED after commit or abort */
  write(bytes: Uint8Array): void;
  /** The file stands, whole. */
  commit(): void;
  /** Nothing remains. Harmless after commit. */
  abort(): void;
}

/** Bounds of a store. */
export interface FileStoreOptions {
  readonly maximumBytes: number;
  /** Files, directories and links. Default 65,536. */
  readonly maximumEntries?: number;
  /** Absent: times are zero. */
  readonly clock?: Clock;
}

/** Files by normalised path. Symbolic links, which only runs make, are never followed here. */
export class FileStore {
  constructor(_options: FileStoreOptions) {
    throw new Error("unfinished");
  }
  /** Bytes of all files, those being written included. */
  get usedBytes(): number {
    throw new Error("unfinished");
  }
  get maximumBytes(): number {
    throw new Error("unfinished");
  }
  /** @returns undefined when nothing is there */
  stat(_path: string): FileStat | undefined {
    throw new Error("unfinished");
  }
  /** Entries of a directory sorted by name. @throws WasiError STORE_NOT_FOUND, STORE_NOT_A_DIRECTORY */
  list(_path: string): FileStat[] {
    throw new Error("unfinished");
  }
  /** Makes a directory and its parents where they are missing. */
  makeDirectory(_path: string): void {
    throw new Error("unfinished");
  }
  /** Missing directories above are made on commit. @throws WasiError STORE_NOT_A_FILE */
  openWrite(_path: string, _options: { append?: boolean } = {}): FileWriter {
    throw new Error("unfinished");
  }
  /** Views of a file's bytes as they are now, whatever is written meanwhile. @throws WasiError STORE_NOT_FOUND, STORE_NOT_A_FILE */
  read(_path: string, _range: { start?: number; end?: number } = {}): Iterable<Uint8Array> {
    throw new Error("unfinished");
  }
  /** Removes a file, link or empty directory. @throws WasiError STORE_NOT_FOUND, STORE_NOT_EMPTY */
  remove(_path: string): void {
    throw new Error("unfinished");
  }
  /** Everything as it is now. No file bytes are copied. */
  snapshot(): Snapshot {
    throw new Error("unfinished");
  }
  /** What a run wrote, all or nothing. @throws WasiError STORE_FULL, STORE_CONFLICT */
  apply(_changes: Changes): void {
    throw new Error("unfinished");
  }
}
