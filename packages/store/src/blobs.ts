// Bytes by their SHA-256, one file each. They are hashed while they stream to the disk, and appear under their name
// only when they are whole and synchronised; nothing is ever whole in memory.
import { createHash, randomUUID } from "node:crypto";
import { createReadStream, type Dirent, unlinkSync } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "./errors.ts";

/** A stored blob. */
export interface Blob {
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly size: number;
}

/** What an upload may be. */
export interface PutBlob {
  readonly maximumBytes: number;
  /** The digest the bytes must have. */
  readonly sha256?: string;
}

/** Content-addressed bytes. */
export interface BlobStore {
  /**
   * Stores bytes, then runs `link`, which records who needs them; until it has ended they can't be collected.
   * @throws StoreError BLOB_TOO_LARGE, BLOB_MISMATCH; nothing is left then
   */
  put<T>(
    source: AsyncIterable<Uint8Array>,
    options: PutBlob,
    link: (blob: Blob) => Promise<T>,
  ): Promise<T>;
  /**
   * The bytes from an offset to the end.
   * @throws StoreError BLOB_MISSING while reading
   */
  read(sha256: string, offset?: number): AsyncIterable<Uint8Array>;
  has(sha256: string): Promise<boolean>;
  /** Removes what `isNeeded` does not want; answers how many blobs went. */
  collect(isNeeded: (sha256: string) => Promise<boolean>): Promise<number>;
  list(): Promise<string[]>;
}

const NAME = /^[0-9a-f]{64}$/;
const READ_SIZE = 1 << 20;

/**
 * Opens the blobs in a directory; what an interrupted upload left there is removed.
 * @param options.graceMs blobs younger than this are not collected, because another process on the same directory may
 *   be about to link them; 0 by default, when this process is the only one
 */
export async function openBlobStore(
  directory: string,
  options: { graceMs?: number } = {},
): Promise<BlobStore> {
  const store = new DiskBlobs(directory, options.graceMs ?? 0);
  await store.prepare();
  return store;
}

class DiskBlobs implements BlobStore {
  readonly #directory: string;
  readonly #temporary: string;
  readonly #graceMs: number;
  /** Digests between being stored and being recorded, with how many uploads hold each. */
  readonly #pins = new Map<string, number>();
  /** Digests that were pinned while `collect` was asking about them. */
  readonly #touched = new Set<string>();

  constructor(directory: string, graceMs: number) {
    this.#directory = directory;
    this.#graceMs = graceMs;
    this.#temporary = join(directory, "incoming");
  }

  async prepare(): Promise<void> {
    await mkdir(this.#temporary, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#temporary)) {
      const path = join(this.#temporary, name);
      // What another process is still receiving is young.
      if (await this.#isOld(path)) await rm(path, { force: true });
    }
  }

  async put<T>(
    source: AsyncIterable<Uint8Array>,
    options: PutBlob,
    link: (blob: Blob) => Promise<T>,
  ): Promise<T> {
    const incoming = join(this.#temporary, randomUUID());
    try {
      const blob = await receive(source, incoming, options);
      this.#pin(blob.sha256, 1);
      try {
        await this.#keep(incoming, blob);
        return await link(blob);
      } finally {
        this.#pin(blob.sha256, -1);
      }
    } finally {
      await rm(incoming, { force: true });
    }
  }

  async *read(sha256: string, offset = 0): AsyncGenerator<Uint8Array> {
    const path = this.#path(sha256);
    const stream = createReadStream(path, { highWaterMark: READ_SIZE, start: offset });
    try {
      for await (const part of stream) yield part as Uint8Array;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
      throw new StoreError("BLOB_MISSING", `blob ${sha256} is not stored`, { cause });
    }
  }

  async has(sha256: string): Promise<boolean> {
    return await stat(this.#path(sha256)).then(
      () => true,
      () => false,
    );
  }

  async collect(isNeeded: (sha256: string) => Promise<boolean>): Promise<number> {
    let gone = 0;
    for (const sha256 of await this.list()) {
      this.#touched.delete(sha256);
      if (!(await this.#isOld(this.#path(sha256)))) continue;
      if (await isNeeded(sha256)) continue;
      // Synchronous from here: no upload can come between this question and the removal.
      if (this.#pins.has(sha256) || this.#touched.has(sha256)) continue;
      try {
        unlinkSync(this.#path(sha256));
        gone += 1;
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
      }
    }
    this.#touched.clear();
    return gone;
  }

  async list(): Promise<string[]> {
    const folders = await readdir(this.#directory, { withFileTypes: true });
    const names = await Promise.all(
      folders.filter(isShard).map(({ name }) => readdir(join(this.#directory, name))),
    );
    return names.flat().filter((name) => NAME.test(name));
  }

  async #keep(incoming: string, { sha256 }: Blob): Promise<void> {
    const path = this.#path(sha256);
    const folder = join(this.#directory, sha256.slice(0, 2));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await rename(incoming, path);
    await synchronizeFolder(folder);
  }

  async #isOld(path: string): Promise<boolean> {
    if (this.#graceMs === 0) return true;
    const found = await stat(path).catch(() => undefined);
    return found !== undefined && Date.now() - found.mtimeMs > this.#graceMs;
  }

  #pin(sha256: string, by: number): void {
    const held = (this.#pins.get(sha256) ?? 0) + by;
    this.#touched.add(sha256);
    if (held > 0) this.#pins.set(sha256, held);
    else this.#pins.delete(sha256);
  }

  #path(sha256: string): string {
    if (!NAME.test(sha256)) throw new StoreError("BLOB_MISSING", "not a digest");
    return join(this.#directory, sha256.slice(0, 2), sha256);
  }
}

async function receive(
  source: AsyncIterable<Uint8Array>,
  path: string,
  { maximumBytes, sha256: wanted }: PutBlob,
): Promise<Blob> {
  const hash = createHash("sha256");
  const file = await open(path, "wx", 0o600);
  let size = 0;
  try {
    for await (const part of source) {
      size += part.length;
      if (size > maximumBytes) {
        throw new StoreError("BLOB_TOO_LARGE", `more than ${maximumBytes} bytes`, {
          details: { maximum: maximumBytes },
        });
      }
      hash.update(part);
      await file.writeFile(part);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  const sha256 = hash.digest("hex");
  if (wanted !== undefined && sha256 !== wanted) {
    throw new StoreError("BLOB_MISMATCH", `SHA-256 is ${sha256}, expected ${wanted}`, {
      details: { sha256, expected: wanted, size },
    });
  }
  return { sha256, size };
}

async function synchronizeFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function isShard({ name }: Dirent): boolean {
  return /^[0-9a-f]{2}$/.test(name);
}
