// A file of a run: pieces borrowed from the snapshot until they are written to, then copied. Bytes behind the size are
// zeros in every piece, so that a file may grow without clearing.
import { Buffer } from "node:buffer";
import {
  CHUNK_BYTES,
  type Chunk,
  type Content,
  EMPTY_CONTENT,
  growChunk,
  trimContent,
} from "../store/content.ts";
import { FILETYPE, type Moment } from "./nodes.ts";
import { SpareChunks } from "./spare-chunks.ts";

const CHUNK_SHIFT = 20;
/** What V8 says when it can't allocate. */
const NO_MEMORY = "Array buffer allocation failed";

/** A regular file. Bounds and quotas are the caller's: `grow` before writing past the end. */
export class FileNode {
  readonly filetype: 4 = FILETYPE.file;
  readonly ino: number;
  size: number;
  links = 1;
  /** Open descriptors; a file without a name lives as long as one is open. */
  opens = 0;
  /** It never had a name. */
  anonymous = false;
  /** Where the snapshot had it; undefined for what the run made. */
  origin: string | undefined;
  /** A read was noted, so that it need not be again. */
  wasRead = false;
  /** Bytes of the snapshot may be in it still. */
  original = false;
  /** Content differs from the snapshot's. */
  dirty = false;
  touched = false;
  accessed: Moment;
  modified: Moment;
  changed: Moment;
  readonly #spares: SpareChunks;
  readonly #chunks: Chunk[];
  readonly #views: (Buffer | null | undefined)[];
  readonly #owned: boolean[];

  constructor(
    ino: number,
    now: Moment,
    content: Content = EMPTY_CONTENT,
    spares: SpareChunks = new SpareChunks(),
  ) {
    this.#spares = spares;
    this.ino = ino;
    this.size = content.size;
    this.accessed = now;
    this.modified = now;
    this.changed = now;
    this.#chunks = [...content.chunks];
    this.#views = new Array(content.chunks.length);
    this.#owned = new Array(content.chunks.length).fill(false);
  }

  /** Copies a range, which must lie inside the file, into a buffer. */
  copyOut(target: Buffer, at: number, from: number, length: number): void {
    const index = chunkIndex(from);
    const inside = from - index * CHUNK_BYTES;
    const view = this.#view(index);
    if (view !== null && inside + length <= view.length) {
      view.copy(target, at, inside, inside + length);
      return;
    }
    this.#copyOutPieces(target, at, from, length);
  }

  /** Copies bytes of a buffer into a range, which must lie inside the file. @returns false when memory is short */
  copyIn(source: Buffer, at: number, to: number, length: number): boolean {
    this.dirty = true;
    let done = 0;
    while (done < length) {
      const index = chunkIndex(to + done);
      const inside = to + done - index * CHUNK_BYTES;
      const count = Math.min(CHUNK_BYTES - inside, length - done);
      const view = this.#writable(index, inside + count);
      if (view === null) return false;
      source.copy(view, inside, at + done, at + done + count);
      done += count;
    }
    return true;
  }

  /** Sets the size; new bytes are zeros. @returns false when memory is short */
  resize(size: number): boolean {
    if (size < this.size) {
      const count = Math.ceil(size / CHUNK_BYTES);
      this.#giveBackFrom(count);
      this.#chunks.length = Math.min(this.#chunks.length, count);
      this.#views.length = this.#chunks.length;
      this.#owned.length = this.#chunks.length;
      const inside = size - (count - 1) * CHUNK_BYTES;
      const last = this.#chunks[count - 1];
      if (last !== undefined && last !== null && last.byteLength > inside) {
        const view = this.#writable(count - 1, inside);
        if (view === null) return false;
        view.fill(0, inside);
      }
    }
    if (size === 0) this.original = false;
    this.size = size;
    this.dirty = true;
    return true;
  }

  /** The content as the store keeps it; the pieces are no longer this file's to change. */
  capture(): Content {
    this.#owned.fill(false);
    const count = Math.ceil(this.size / CHUNK_BYTES);
    const chunks = Array.from({ length: count }, (_, index) => this.#chunks[index] ?? null);
    return trimContent(this.size, chunks);
  }

  #view(index: number): Buffer | null {
    const view = this.#views[index];
    if (view !== undefined) return view;
    const chunk = this.#chunks[index] ?? null;
    const made = chunk === null ? null : Buffer.from(chunk);
    this.#views[index] = made;
    return made;
  }

  #writable(index: number, bytes: number): Buffer | null {
    const had = this.#views[index];
    if (this.#owned[index] === true && had !== undefined && had !== null && had.length >= bytes) {
      return had;
    }
    while (this.#chunks.length < index) this.#push(null);
    try {
      // A file of more than one piece is large: its later pieces are made whole at once.
      const old = this.#chunks[index] ?? null;
      const whole = index > 0 || bytes > CHUNK_BYTES / 2;
      const spare = whole && old === null ? this.#spares.take() : undefined;
      const room = spare ?? growChunk(old, whole ? CHUNK_BYTES : bytes);
      if (old !== null && this.#owned[index] === true) this.#spares.give(old);
      const view = Buffer.from(room);
      this.#chunks[index] = room;
      this.#views[index] = view;
      this.#owned[index] = true;
      return view;
    } catch (thrown) {
      // The machine has no memory left. A stack that is full is a RangeError as well, but ends the run.
      if (thrown instanceof RangeError && thrown.message === NO_MEMORY) return null;
      throw thrown;
    }
  }

  #giveBackFrom(index: number): void {
    for (let at = index; at < this.#chunks.length; at += 1) {
      const chunk = this.#chunks[at] ?? null;
      if (chunk !== null && this.#owned[at] === true) this.#spares.give(chunk);
    }
  }

  #push(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.#views.push(undefined);
    this.#owned.push(false);
  }

  #copyOutPieces(target: Buffer, at: number, from: number, length: number): void {
    let done = 0;
    while (done < length) {
      const index = chunkIndex(from + done);
      const inside = from + done - index * CHUNK_BYTES;
      const count = Math.min(CHUNK_BYTES - inside, length - done);
      const view = this.#view(index);
      const stored = view === null ? 0 : Math.max(0, Math.min(count, view.length - inside));
      if (view !== null && stored > 0) view.copy(target, at + done, inside, inside + stored);
      if (stored < count) target.fill(0, at + done + stored, at + done + count);
      done += count;
    }
  }
}

function chunkIndex(position: number): number {
  return position < 0x7fff_ffff ? position >>> CHUNK_SHIFT : Math.floor(position / CHUNK_BYTES);
}
