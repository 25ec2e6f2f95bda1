// Content-addressed bytes of which none that is needed is ever removed: who stores a blob holds it until it is recorded
// who needs it, and the collector takes only what nobody holds and nobody needs. Holds are rows of the database, so this
// is true of several processes on one store, too.
import type { BlobHolds } from "./blob-holds.ts";
import type { Blob, BlobPlace, PutBlob } from "./blob-place.ts";
import { checkedReader, type ReadFrom } from "./checked-bytes.ts";

/** Content-addressed bytes. */
export interface BlobStore {
  /**
   * Stores bytes, then runs `link`, which records who needs them; until it has ended they can't be collected.
   * @throws StoreError BLOB_TOO_LARGE, BLOB_MISMATCH, BLOB_BUSY; nothing is left then
   */
  put<T>(
    source: AsyncIterable<Uint8Array>,
    expected: PutBlob,
    link: (blob: Blob) => Promise<T>,
  ): Promise<T>;
  /**
   * Runs `link` for bytes that are stored already; undefined, and nothing done, when they are not.
   * @throws StoreError BLOB_BUSY
   */
  reuse<T>(sha256: string, link: (blob: Blob) => Promise<T>): Promise<{ linked: T } | undefined>;
  /**
   * A reader of one blob, from any offset; bytes that are not the blob's never come whole.
   * @throws StoreError BLOB_MISSING, BLOB_DAMAGED while reading
   */
  reader(sha256: string): ReadFrom;
  has(sha256: string): Promise<boolean>;
  /** Removes what nobody needs and what interrupted uploads left; answers how many blobs went. */
  collect(): Promise<number>;
  list(): Promise<string[]>;
  /** Frees what processes before this one held; only for one that is alone in storing blobs. */
  releaseAll(): Promise<void>;
}

/** A blob store over a place and the holds of a database. */
export function blobStore(place: BlobPlace, holds: BlobHolds): BlobStore {
  return {
    async put(source, expected, link) {
      const incoming = await place.receive(source, expected);
      let isKept = false;
      try {
        return await holds.hold(incoming.blob.sha256, async () => {
          // From here on it is the place's to clean up: a failure after this leaves a blob that nobody needs.
          isKept = true;
          await incoming.keep();
          return await link(incoming.blob);
        });
      } finally {
        if (!isKept) await incoming.drop();
      }
    },
    reuse: (sha256, link) =>
      holds.hold(sha256, async () => {
        const size = await place.size(sha256);
        return size === undefined ? undefined : { linked: await link({ sha256, size }) };
      }),
    reader: (sha256) => checkedReader(sha256, (offset) => place.read(sha256, offset)),
    has: async (sha256) => (await place.size(sha256)) !== undefined,
    async collect() {
      let gone = 0;
      for await (const page of place.list()) {
        for (const sha256 of page) {
          if (await holds.remove(sha256, () => place.remove(sha256))) gone += 1;
        }
      }
      await place.sweep();
      return gone;
    },
    async list() {
      const pages: (readonly string[])[] = [];
      for await (const page of place.list()) pages.push(page);
      return pages.flat();
    },
    releaseAll: () => holds.releaseAll(),
  };
}
