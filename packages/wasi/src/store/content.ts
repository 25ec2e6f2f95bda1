// The bytes of one stored file: pieces of at most 1 MiB in shared memory, never changed once they are in a store.
// A snapshot hands the pieces to a worker without copying; an append copies the last piece at most.

/** The size of every piece but the last one, which may be smaller. */
export const CHUNK_BYTES: number = 1024 * 1024;

/** A piece; null is a hole that reads as zeros. */
export type Chunk = SharedArrayBuffer | null;

/** Content of a file at one moment; structured-cloneable, and cloning does not copy the bytes. */
export interface Content {
  readonly size: number;
  readonly chunks: readonly Chunk[];
}

/** A file without bytes. */
export const EMPTY_CONTENT: Content = { size: 0, chunks: [] };

const ZEROS = new Uint8Array(64 * 1024);

/**
 * The bytes of a range, piece by piece, as views that are not copied.
 * @param range start inclusive, end exclusive; both are cut to the file
 */
export function* contentViews(
  content: Content,
  range: { start?: number; end?: number } = {},
): Generator<Uint8Array<ArrayBufferLike>> {
  const end = Math.min(range.end ?? content.size, content.size);
  let at = Math.max(range.start ?? 0, 0);
  while (at < end) {
    const inside = at % CHUNK_BYTES;
    const chunk = content.chunks[Math.floor(at / CHUNK_BYTES)] ?? null;
    const stop = Math.min(CHUNK_BYTES - inside, end - at);
    const available = chunk === null ? 0 : Math.min(stop, Math.max(chunk.byteLength - inside, 0));
    if (chunk !== null && available > 0) {
      yield new Uint8Array(chunk, inside, available);
      at += available;
    } else {
      const zeros = Math.min(stop, ZEROS.length);
      yield ZEROS.subarray(0, zeros);
      at += zeros;
    }
  }
}

/** One array of a whole file, copied out of shared memory; for small files and tests. */
export function contentBytes(content: Content): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(content.size);
  let at = 0;
  for (const view of contentViews(content)) {
    bytes.set(view, at);
    at += view.length;
  }
  return bytes;
}
