// Committed files of a keep, in memory. Nothing half-written is ever seen; runs get a snapshot and give back changes.
// Hard links live only as long as a run: here each name has content of its own, so that no principal reaches a file of
// another directory by a second name. Symbolic links are kept, but never followed here.
import type { Clock } from "@holdfast/core";
import { ancestors, isStream, normalizePath } from "@holdfast/policy";
import { WasiError } from "../errors.ts";
import { applyChanges } from "./apply.ts";
import { Collector } from "./collector.ts";
import { type Content, contentViews, EMPTY_CONTENT } from "./content.ts";
import { ChunkWriter, type FileWriter } from "./file-writer.ts";
import type { Changes, Snapshot, StoredNode } from "./snapshot.ts";
import { StoreTree } from "./store-tree.ts";

/** What `stat` and `list` say. */
export interface FileStat {
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink";
  readonly size: number;
  /** When the content was committed; the epoch where there is no clock. */
  readonly modified: Date;
}

/** Bounds of a store. */
export interface FileStoreOptions {
  readonly maximumBytes: number;
  /** Files, directories and links. Default 65,536. */
  readonly maximumEntries?: number;
  /** Absent: times are zero. */
  readonly clock?: Clock;
}

/** Default of the entries a store and a run may hold. */
export const MAXIMUM_ENTRIES = 65_536;

/** The thread of a store does much else: its garbage is collected more rarely than a worker's. */
const MOST_WAITING_BYTES = 256 * 1024 * 1024;

/** Files by path. Paths are normalised here once more, so that no spelling reaches another entry. */
export class FileStore {
  readonly maximumBytes: number;
  readonly maximumEntries: number;
  readonly #clock: Clock | undefined;
  readonly #tree = new StoreTree();
  readonly #collector = new Collector(MOST_WAITING_BYTES);
  #pendingBytes = 0;
  #snapshot: Snapshot | undefined;

  constructor(options: FileStoreOptions) {
    this.maximumBytes = options.maximumBytes;
    this.maximumEntries = options.maximumEntries ?? MAXIMUM_ENTRIES;
    this.#clock = options.clock;
  }

  /** Bytes of all files, those being written included. */
  get usedBytes(): number {
    return this.#tree.bytes + this.#pendingBytes;
  }

  /** @returns undefined when nothing is there */
  stat(path: string): FileStat | undefined {
    const node = this.#tree.get(filePath(path));
    return node === undefined ? undefined : statOf(node);
  }

  /** Entries of a directory sorted by name. @throws WasiError STORE_NOT_FOUND, STORE_NOT_A_DIRECTORY */
  list(path: string): FileStat[] {
    return this.#tree.children(filePath(path)).map(statOf);
  }

  /** Makes a directory and its parents where they are missing. @throws WasiError STORE_CONFLICT, STORE_FULL */
  makeDirectory(path: string): void {
    this.#change(() => {
      for (const at of ancestors(filePath(path)).reverse()) this.#ensureDirectory(at);
    });
  }

  /** Opens a file for writing; missing directories above are made on commit. @throws WasiError STORE_NOT_A_FILE */
  openWrite(path: string, options: { append?: boolean } = {}): FileWriter {
    const at = filePath(path);
    const node = this.#tree.get(at);
    if (node !== undefined && node.kind === "directory") throw notAFile(at, node.kind);
    const old = options.append === true && node?.kind === "file" ? node.content : EMPTY_CONTENT;
    return new ChunkWriter(
      {
        reserve: (bytes) => this.#reserve(bytes),
        release: (bytes) => {
          this.#pendingBytes -= bytes;
        },
        letGo: (bytes) => this.#collector.letGo(bytes),
        place: (content) => this.#place(at, content),
      },
      old,
    );
  }

  /** Content of a file as it is now. @throws WasiError STORE_NOT_FOUND, STORE_NOT_A_FILE */
  content(path: string): Content {
    const at = filePath(path);
    const node = this.#tree.get(at);
    if (node === undefined) throw new WasiError("STORE_NOT_FOUND", `no file ${at}`);
    if (node.kind !== "file") throw notAFile(at, node.kind);
    return node.content;
  }

  /** Views of a file's bytes as they are now, whatever is written meanwhile. @throws WasiError as `content` */
  read(path: string, range: { start?: number; end?: number } = {}): Iterable<Uint8Array> {
    return contentViews(this.content(path), range);
  }

  /** Removes a file, link or empty directory. @throws WasiError STORE_NOT_FOUND, STORE_NOT_EMPTY */
  remove(path: string): void {
    this.#change(() => this.#tree.remove(filePath(path)));
  }

  /** Everything as it is now. No file bytes are copied. */
  snapshot(): Snapshot {
    this.#snapshot ??= { nodes: this.#tree.inOrder() };
    return this.#snapshot;
  }

  /** What a run wrote, all or nothing. @throws WasiError STORE_FULL, STORE_CONFLICT */
  apply(changes: Changes): void {
    this.#change(() => {
      applyChanges(this.#tree, changes);
      this.#checkBounds();
    });
  }

  #place(path: string, content: Content): void {
    this.#change(() => {
      for (const at of ancestors(path).slice(1).reverse()) this.#ensureDirectory(at);
      const now = this.#now();
      this.#tree.put({ kind: "file", path, content, accessed: now, modified: now });
      this.#checkBounds();
    });
  }

  #ensureDirectory(path: string): void {
    const node = this.#tree.get(path);
    if (node?.kind === "directory") return;
    if (node !== undefined) throw new WasiError("STORE_CONFLICT", `${path} is a ${node.kind}`);
    const now = this.#now();
    this.#tree.put({ kind: "directory", path, accessed: now, modified: now });
    this.#checkBounds();
  }

  /** Runs an alteration whole or not at all. */
  #change(alter: () => void): void {
    const mark = this.#tree.mark();
    try {
      alter();
    } catch (thrown) {
      this.#tree.rollBack(mark);
      throw thrown;
    }
    this.#snapshot = undefined;
    this.#collector.letGo(this.#tree.forget());
  }

  #reserve(bytes: number): void {
    if (this.usedBytes + bytes > this.maximumBytes) throw full(this.maximumBytes);
    this.#pendingBytes += bytes;
  }

  #checkBounds(): void {
    if (this.usedBytes > this.maximumBytes) throw full(this.maximumBytes);
    if (this.#tree.entries > this.maximumEntries) {
      throw new WasiError("STORE_FULL", `more than ${this.maximumEntries} files and directories`);
    }
  }

  #now(): bigint {
    return BigInt(this.#clock?.now().getTime() ?? 0) * 1_000_000n;
  }
}

function filePath(untrusted: string): string {
  const path = normalizePath(untrusted);
  if (isStream(path)) throw new WasiError("STORE_NOT_A_FILE", `${path} is a stream`);
  return path;
}

function statOf(node: StoredNode): FileStat {
  return {
    path: node.path,
    kind: node.kind,
    size: node.kind === "file" ? node.content.size : 0,
    modified: new Date(Number(node.modified / 1_000_000n)),
  };
}

function notAFile(path: string, kind: string): WasiError {
  return new WasiError("STORE_NOT_A_FILE", `${path} is a ${kind}`);
}

function full(bytes: number): WasiError {
  return new WasiError("STORE_FULL", `files would take more than ${bytes} bytes`);
}
