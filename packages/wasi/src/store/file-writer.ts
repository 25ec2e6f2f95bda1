// Writing a file into the store: pieces grow beside the old content, and commit puts them in its place at once.
import { Buffer } from "node:buffer";
import { WasiError } from "../errors.ts";
import { CHUNK_BYTES, type Chunk, type Content, growChunk, trimContent } from "./content.ts";

/** A file being written; nobody sees it before `commit`. */
export interface FileWriter {
  /** Bytes so far, with those the file had when appending. */
  readonly size: number;
  /** What is there so far; pieces that are full never change again. */
  readonly content: Content;
  /** @throws WasiError STORE_FULL; STORE_CLOSED after commit or abort */
  write(bytes: Uint8Array): void;
  /** The file stands, whole. @throws WasiError STORE_CONFLICT when something else took its place meanwhile */
  commit(): void;
  /** Nothing remains. Harmless after commit. */
  abort(): void;
}

/** What the writer asks of the store. */
export interface WriterHome {
  /** Counts bytes that are not committed yet. @throws WasiError STORE_FULL */
  reserve(bytes: number): void;
  /** Takes the reservation back. */
  release(bytes: number): void;
  /** Told how many bytes were written that nobody will see. */
  letGo(bytes: number): void;
  /** Puts the content in place of what the path holds; the reservation is released with it. */
  place(content: Content): void;
}

/** A writer over the store; `base` is what an append starts from. */
export class ChunkWriter implements FileWriter {
  readonly #home: WriterHome;
  readonly #chunks: Chunk[];
  readonly #baseSize: number;
  #size: number;
  /** The last piece of the base belongs to others until it is copied. */
  #tailBorrowed: boolean;
  #open = true;

  constructor(home: WriterHome, base: Content) {
    this.#home = home;
    this.#chunks = [...base.chunks];
    this.#baseSize = base.size;
    this.#size = base.size;
    this.#tailBorrowed = base.size % CHUNK_BYTES !== 0;
  }

  get size(): number {
    return this.#size;
  }

  get content(): Content {
    return { size: this.#size, chunks: this.#chunks };
  }

  write(bytes: Uint8Array): void {
    if (!this.#open) throw new WasiError("STORE_CLOSED", "the file was committed or aborted");
    this.#home.reserve(bytes.length);
    // What a typed array sets in shared memory it copies byte by byte, unless both sides lie alike; a buffer does not.
    const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    while (at < bytes.length) {
      const index = Math.floor(this.#size / CHUNK_BYTES);
      const inside = this.#size % CHUNK_BYTES;
      const count = Math.min(CHUNK_BYTES - inside, bytes.length - at);
      const chunk = this.#roomIn(index, inside + count);
      source.copy(Buffer.from(chunk, inside, count), 0, at, at + count);
      this.#size += count;
      at += count;
    }
  }

  commit(): void {
    if (!this.#open) throw new WasiError("STORE_CLOSED", "the file was committed or aborted");
    this.#open = false;
    this.#home.release(this.#size - this.#baseSize);
    this.#home.place(trimContent(this.#size, this.#chunks));
  }

  abort(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#chunks.length = 0;
    this.#home.release(this.#size - this.#baseSize);
    this.#home.letGo(this.#size - this.#baseSize);
  }

  #roomIn(index: number, bytes: number): SharedArrayBuffer {
    const chunk = this.#chunks[index] ?? null;
    if (chunk !== null && chunk.byteLength >= bytes && !this.#tailBorrowed) return chunk;
    // Every piece after the first belongs to a file that is large already.
    const room = growChunk(chunk, index > 0 ? CHUNK_BYTES : bytes);
    this.#chunks[index] = room;
    this.#tailBorrowed = false;
    return room;
  }
}
