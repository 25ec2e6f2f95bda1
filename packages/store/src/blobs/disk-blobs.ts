// Blobs in a directory, one file each. They are hashed while they stream to the disk, and appear under their name only
// when they are whole, checked and synchronised.
import { randomUUID } from "node:crypto";
import { createReadStream, type Dirent } from "node:fs";
import { open, readdir, rename, rm, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder, synchronizeFolder } from "../durable-folder.ts";
import { StoreError } from "../errors.ts";
import { type BlobPlace, DIGEST, type Incoming, type PutBlob } from "./blob-place.ts";
import { IncomingDigest } from "./checked-bytes.ts";

/** Of larger parts more memory is taken before any is collected; smaller ones cost time. */
const READ_SIZE = 1 << 17;

/** Opens a directory of blobs, in which no other process stores any: what it did not finish is interrupted. */
export async function openDiskBlobs(directory: string): Promise<BlobPlace> {
  const incoming = join(directory, "incoming");
  await makeFolder(incoming);
  return new DiskBlobs(directory, incoming);
}

class DiskBlobs implements BlobPlace {
  readonly #directory: string;
  readonly #incoming: string;
  /** Names of what this process is receiving. */
  readonly #own = new Set<string>();

  constructor(directory: string, incoming: string) {
    this.#directory = directory;
    this.#incoming = incoming;
  }

  async receive(source: AsyncIterable<Uint8Array>, expected: PutBlob): Promise<Incoming> {
    const name = randomUUID();
    const path = join(this.#incoming, name);
    this.#own.add(name);
    const drop = async (): Promise<void> => {
      await rm(path, { force: true });
      this.#own.delete(name);
    };
    try {
      const digest = new IncomingDigest(expected);
      await writeFile(path, source, digest);
      const blob = digest.finish();
      const keep = async (): Promise<void> => {
        try {
          await this.#show(path, blob.sha256);
        } finally {
          await drop();
        }
      };
      return { blob, keep, drop };
    } catch (thrown) {
      await drop();
      throw thrown;
    }
  }

  async *read(sha256: string, offset: number): AsyncGenerator<Uint8Array> {
    const stream = createReadStream(this.#path(sha256), {
      highWaterMark: READ_SIZE,
      start: offset,
    });
    try {
      for await (const part of stream) yield part as Uint8Array;
    } catch (cause) {
      if (!isAbsent(cause)) throw cause;
      throw new StoreError("BLOB_MISSING", `blob ${sha256} is not stored`, { cause });
    }
  }

  async size(sha256: string): Promise<number | undefined> {
    try {
      return (await stat(this.#path(sha256))).size;
    } catch (thrown) {
      if (isAbsent(thrown)) return undefined;
      throw thrown;
    }
  }

  async remove(sha256: string): Promise<boolean> {
    try {
      await unlink(this.#path(sha256));
      return true;
    } catch (thrown) {
      if (isAbsent(thrown)) return false;
      throw thrown;
    }
  }

  async *list(): AsyncGenerator<readonly string[]> {
    const folders = await readdir(this.#directory, { withFileTypes: true });
    for (const { name } of folders.filter(isShard)) {
      const names = await readdir(join(this.#directory, name));
      yield names.filter((each) => DIGEST.test(each));
    }
  }

  async sweep(): Promise<void> {
    for (const name of await readdir(this.#incoming)) {
      if (!this.#own.has(name)) await rm(join(this.#incoming, name), { force: true });
    }
  }

  async #show(incoming: string, sha256: string): Promise<void> {
    const folder = join(this.#directory, sha256.slice(0, 2));
    await makeFolder(folder);
    await rename(incoming, this.#path(sha256));
    await synchronizeFolder(folder);
  }

  #path(sha256: string): string {
    if (!DIGEST.test(sha256)) throw new StoreError("BLOB_MISSING", "not a digest");
    return join(this.#directory, sha256.slice(0, 2), sha256);
  }
}

async function writeFile(
  path: string,
  source: AsyncIterable<Uint8Array>,
  digest: IncomingDigest,
): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    for await (const part of source) {
      digest.add(part);
      await file.writeFile(part);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

function isShard({ name }: Dirent): boolean {
  return /^[0-9a-f]{2}$/.test(name);
}

function isAbsent(thrown: unknown): boolean {
  return (thrown as NodeJS.ErrnoException).code === "ENOENT";
}
