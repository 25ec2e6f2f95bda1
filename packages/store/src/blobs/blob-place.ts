// Where bytes are kept by their SHA-256: a port with two implementations, a directory and an S3 bucket. A place knows
// nothing of who needs what; `blob-store.ts` does.

/** A stored blob. */
export interface Blob {
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly size: number;
}

/** What an upload must be. */
export interface PutBlob {
  readonly maximumBytes: number;
  /** The digest the bytes must have: whoever stores bytes knows beforehand which ones they must be. */
  readonly sha256: string;
}

/** Bytes that are there, whole and checked, and not yet to be seen. One of the two is called, once. */
export interface Incoming {
  readonly blob: Blob;
  /** Makes them seen under their digest; does no harm when they are there already. */
  keep(): Promise<void>;
  /** Lets go of them. */
  drop(): Promise<void>;
}

/** Keeps bytes by their digest. Nothing is ever whole in memory, or seen before it is whole and checked. */
export interface BlobPlace {
  /**
   * Takes bytes in, and hashes them as they come.
   * @throws StoreError BLOB_TOO_LARGE, BLOB_MISMATCH; what the source throws; nothing is left then
   */
  receive(source: AsyncIterable<Uint8Array>, expected: PutBlob): Promise<Incoming>;
  /**
   * The bytes from an offset to the end, as they are stored.
   * @throws StoreError BLOB_MISSING while reading
   */
  read(sha256: string, offset: number): AsyncIterable<Uint8Array>;
  /** How many bytes are stored under a digest; undefined when there is no such blob. */
  size(sha256: string): Promise<number | undefined>;
  /** @returns whether there was one */
  remove(sha256: string): Promise<boolean>;
  /** All digests, a page at a time. */
  list(): AsyncIterable<readonly string[]>;
  /** Removes what uploads left that were interrupted long enough ago. */
  sweep(): Promise<void>;
}

/** A digest as names have it. */
export const DIGEST: RegExp = /^[0-9a-f]{64}$/;
