// The bytes of one stored file: pieces of at most 1 MiB in shared memory, never changed once they are in a store.
// A snapshot hands the pieces to a worker without copying; an append copies the last piece at most.
import { createHash } from "node:crypto";

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
): Generator<Uint8Array> {
  const end = Math.min(range.end ?? content.size, content.size);
  let at = Math.max(range.start ?? 0, 0);
  while (at < end) {
    const inside = at % CHUNK_BYTES;
    const chunk = content.chunks[Math.floor(at / CHUNK_BYTES)] ?? null;
    const wanted = Math.min(CHUNK_BYTES - inside, end - at);
    const stored = chunk === null ? 0 : Math.min(wanted, Math.max(chunk.byteLength - inside, 0));
    const view =
      chunk !== null && stored > 0
        ? new Uint8Array(chunk, inside, stored)
        : ZEROS.subarray(0, Math.min(wanted, ZEROS.length));
    yield view;
    at += view.length;
  }
}

/** One array of a whole file, copied out of shared memory; for small files. */
export function contentBytes(content: Content): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(content.size);
  let at = 0;
  for (const view of contentViews(content)) {
    bytes.set(view, at);
    at += view.length;
  }
  return bytes;
}

/** SHA-256 of a file, lower-case hexadecimal. */
export function contentSha256(content: Content): string {
  const hash = createHash("sha256");
  for (const view of contentViews(content)) hash.update(view);
  return hash.digest("hex");
}

/** The same content with a last piece that is not much larger than its bytes. */
export function trimContent(size: number, chunks: readonly Chunk[]): Content {
  const count = Math.ceil(size / CHUNK_BYTES);
  const kept = chunks.slice(0, count);
  const last = kept[count - 1];
  const used = size - (count - 1) * CHUNK_BYTES;
  if (last !== undefined && last !== null && last.byteLength - used > last.byteLength / 4) {
    const smaller = new SharedArrayBuffer(used);
    new Uint8Array(smaller).set(new Uint8Array(last, 0, used));
    kept[count - 1] = smaller;
  }
  return { size, chunks: kept };
}

/** A piece with room for at least `bytes`, holding what the old one held; grows by doubling up to a full piece. */
export function growChunk(old: Chunk, bytes: number): SharedArrayBuffer {
  const had = old?.byteLength ?? 0;
  const room = Math.min(Math.max(bytes, had * 2, 4096), CHUNK_BYTES);
  const chunk = new SharedArrayBuffer(room);
  if (old !== null) new Uint8Array(chunk).set(new Uint8Array(old));
  return chunk;
}
