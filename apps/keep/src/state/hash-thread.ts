// Hashes large files in a thread of their own, straight from the memory they lie in: SHA-256 takes about as long as
// the decryption of the same bytes, and nobody else is to wait for it.
import { createHash } from "node:crypto";
import { Worker } from "node:worker_threads";
import { CHUNK_BYTES, type Content, contentViews } from "@holdfast/wasi";

/** A part of a piece of shared memory; without a piece, zeros. Its bytes must not change any more. */
export interface Part {
  readonly piece: SharedArrayBuffer | null;
  readonly start: number;
  readonly end: number;
}

/** A hash that is being made. */
export interface RunningHash {
  update(part: Part): void;
  /** Lower-case hexadecimal. */
  digest(): Promise<string>;
  /** Not wanted any more. */
  drop(): void;
}

/** Up to here a hash is made at once: it takes less than asking for it would. */
export const SMALL_BYTES: number = 2 * CHUNK_BYTES;
const IDLE_MS = 5000;
/** Each message costs as much as hashing a third of a piece. */
const PARTS_AT_ONCE = 8;

// The text runs as a module or not, whichever way the keep itself was read; it may do nothing but hash. It makes no
// garbage that would have it collected, and would hold on to the memory of files that were replaced since: after so many
// bytes it collects by itself.
const SOURCE = `
for (const scope of ["net", "fs", "worker", "child"]) process.permission?.drop(scope);
const { parentPort } = process.getBuiltinModule("node:worker_threads");
const { createHash } = process.getBuiltinModule("node:crypto");
const { setFlagsFromString } = process.getBuiltinModule("node:v8");
setFlagsFromString("--expose-gc");
const collect = process.getBuiltinModule("node:vm").runInNewContext("gc");
setFlagsFromString("--no-expose-gc");
const hashes = new Map();
const zeros = new Uint8Array(65536);
let seen = 0;
parentPort.on("message", ({ id, parts, end }) => {
  let hash = hashes.get(id);
  if (hash === undefined) hashes.set(id, (hash = createHash("sha256")));
  for (const { piece, start, end } of parts) {
    seen += end - start;
    if (piece !== null) hash.update(new Uint8Array(piece, start, end - start));
    else for (let left = end - start; left > 0; left -= zeros.length) hash.update(zeros.subarray(0, left));
  }
  if (end !== undefined) hashes.delete(id);
  if (end === "digest") parentPort.postMessage({ id, hex: hash.digest("hex") });
  if (end === undefined || seen < 33554432) return;
  seen = 0;
  setImmediate(collect);
});
`;

interface Waiting {
  resolve(hex: string): void;
  reject(fault: Error): void;
}

/** A thread that hashes; it is there while there is something to hash, and a little longer. */
export class HashThread {
  readonly #waiting = new Map<number, Waiting>();
  #thread: Worker | undefined;
  #open = new Set<number>();
  #nextId = 0;
  #idle: NodeJS.Timeout | undefined;

  /** Begins a hash. */
  begin(): RunningHash {
    this.#nextId += 1;
    const id = this.#nextId;
    const thread = this.#acquire(id);
    let parts: Part[] = [];
    const send = (end?: "digest" | "drop"): void => {
      thread.postMessage({ id, parts, end });
      parts = [];
    };
    return {
      update: (part) => {
        parts.push(part);
        if (parts.length >= PARTS_AT_ONCE) send();
      },
      digest: () =>
        new Promise((resolve, reject) => {
          if (this.#thread !== thread) {
            reject(new Error("the hashing thread is gone"));
            return;
          }
          this.#waiting.set(id, { resolve, reject });
          send("digest");
        }),
      drop: () => {
        if (!this.#open.has(id) || this.#waiting.has(id)) return;
        parts = [];
        send("drop");
        this.#release(id);
      },
    };
  }

  /** SHA-256 of a content. */
  async digestOf(content: Content): Promise<string> {
    if (content.size <= SMALL_BYTES) {
      const hash = createHash("sha256");
      for (const view of contentViews(content)) hash.update(view);
      return hash.digest("hex");
    }
    const hash = this.begin();
    for (const part of pieces(content, 0)) hash.update(part);
    return hash.digest();
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    await this.#thread?.terminate();
  }

  #acquire(id: number): Worker {
    clearTimeout(this.#idle);
    this.#open.add(id);
    this.#thread ??= this.#start();
    return this.#thread;
  }

  #start(): Worker {
    const thread = new Worker(SOURCE, { eval: true, env: {}, argv: [] });
    thread.unref();
    thread.on("message", ({ id, hex }: { id: number; hex: string }) => {
      this.#waiting.get(id)?.resolve(hex);
      this.#release(id);
    });
    const lost = (): void => {
      // One that was idle is no loss.
      if (this.#thread !== thread) return;
      this.#thread = undefined;
      for (const { reject } of this.#waiting.values()) {
        reject(new Error("the hashing thread is gone"));
      }
      this.#waiting.clear();
      this.#open.clear();
    };
    thread.on("error", lost);
    thread.on("exit", lost);
    return thread;
  }

  #release(id: number): void {
    this.#waiting.delete(id);
    this.#open.delete(id);
    if (this.#open.size > 0) return;
    this.#idle = setTimeout(() => this.#retire(), IDLE_MS);
    this.#idle.unref();
  }

  #retire(): void {
    const thread = this.#thread;
    this.#thread = undefined;
    void thread?.terminate();
  }
}

/** The parts of a content's pieces from an offset to its end. */
export function* pieces({ size, chunks }: Content, from: number): Generator<Part> {
  for (let at = from; at < size; ) {
    const index = Math.floor(at / CHUNK_BYTES);
    const start = at % CHUNK_BYTES;
    const end = Math.min(CHUNK_BYTES, size - index * CHUNK_BYTES);
    const piece = chunks[index] ?? null;
    const real = piece === null ? start : Math.max(Math.min(piece.byteLength, end), start);
    if (real > start) yield { piece, start, end: real };
    // What a piece does not reach reads as zeros.
    if (end > real) yield { piece: null, start: real, end };
    at += end - start;
  }
}
