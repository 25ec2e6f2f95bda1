// A file on its way in: nothing of it is seen before all of it is there and its digests hold.
import { createHash } from "node:crypto";
import { toHex } from "@holdfast/core";
import { CHUNK_BYTES, type Content, contentViews, type FileStore, WasiError } from "@holdfast/wasi";
import { KeepError } from "../errors.ts";
import { pieces, type RunningHash, SMALL_BYTES } from "../state/hash-thread.ts";
import type { KeepState } from "../state/keep-state.ts";

type FileWriter = ReturnType<FileStore["openWrite"]>;

/** What is known of a file before its bytes. */
export interface IncomingOptions {
  /** Normalised. */
  readonly path: string;
  readonly append: boolean;
  /** SHA-256 of what is sent, as the sender says. */
  readonly digest: Uint8Array | undefined;
}

/** A file that was committed. */
export interface CommittedFile {
  readonly path: string;
  readonly size: number;
  /** Of the whole file; absent after an append to a file. */
  readonly sha256?: string;
}

/** Bytes that will become a file. */
export class IncomingFile {
  readonly path: string;
  readonly append: boolean;
  readonly #keep: KeepState;
  readonly #options: IncomingOptions;
  #writer: FileWriter;
  /** What an append goes on from. */
  #base: Content | undefined;
  /** Of a large file, while it comes in. */
  #hash: RunningHash | undefined;
  /** Up to where the file was hashed. */
  #hashed: number;
  #received = 0;

  constructor(keep: KeepState, options: IncomingOptions) {
    this.path = options.path;
    this.append = options.append;
    this.#keep = keep;
    this.#options = options;
    this.#base = options.append ? this.#present() : undefined;
    this.#writer = storing(() => keep.store.openWrite(options.path, { append: options.append }));
    this.#hashed = this.#writer.size;
  }

  /** Bytes received so far. */
  get received(): number {
    return this.#received;
  }

  /** @throws KeepError STORAGE_FULL */
  write(part: Uint8Array): void {
    storing(() => this.#writer.write(part));
    this.#received += part.length;
    if (this.#received > SMALL_BYTES) {
      this.#hashUpTo(Math.floor(this.#writer.size / CHUNK_BYTES) * CHUNK_BYTES);
    }
  }

  /**
   * Makes the file stand.
   * @param demand asked once more before it does
   * @throws KeepError DIGEST_MISMATCH, FILE_PIN_MISMATCH, FILE_KIND, STORAGE_FULL; then nothing of it remains
   */
  async commit(demand: () => void = () => undefined): Promise<CommittedFile> {
    try {
      const sha256 = await this.#digest();
      // The world may have turned while the bytes came in.
      demand();
      return this.#commit(sha256);
    } catch (thrown) {
      this.abort();
      throw thrown;
    }
  }

  /** Lets the bytes go; harmless after commit. */
  abort(): void {
    this.#hash?.drop();
    this.#writer.abort();
  }

  #commit(sha256: string): CommittedFile {
    const { path, append, digest } = this.#options;
    if (digest !== undefined && toHex(digest) !== sha256) {
      throw new KeepError("DIGEST_MISMATCH", "what arrived does not have the digest that was sent");
    }
    const pin = this.#keep.policy.fileHashes.get(path);
    if (pin !== undefined && pin !== sha256) {
      throw new KeepError("FILE_PIN_MISMATCH", `the policy pins ${path} to another content`);
    }
    storing(() => {
      if (append && this.#present() !== this.#base) this.#goAfter(this.#present());
      this.#writer.commit();
    });
    const size = this.#writer.size;
    const isWhole = this.#base === undefined;
    if (isWhole) this.#keep.digests.set(path, sha256);
    else this.#keep.digests.delete(path);
    return { path, size, ...(isWhole ? { sha256 } : {}) };
  }

  /** Another append was acknowledged meanwhile: these bytes come after it, and nobody's vanish. */
  #goAfter(present: Content | undefined): void {
    const { size, chunks } = this.#writer.content;
    const received = { size, chunks: [...chunks] };
    // Its room is needed once, and nobody else can take it in between.
    this.#writer.abort();
    this.#writer = this.#keep.store.openWrite(this.path, { append: true });
    for (const view of contentViews(received, { start: this.#base?.size ?? 0 })) {
      this.#writer.write(view);
    }
    this.#base = present;
  }

  /** SHA-256 of what was received, lower-case hexadecimal. */
  async #digest(): Promise<string> {
    const { content, size } = this.#writer;
    if (this.#hash === undefined) {
      const hash = createHash("sha256");
      for (const view of contentViews(content, { start: this.#hashed })) hash.update(view);
      return hash.digest("hex");
    }
    this.#hashUpTo(size);
    return this.#hash.digest();
  }

  #hashUpTo(end: number): void {
    if (end <= this.#hashed) return;
    this.#hash ??= this.#keep.hashing.begin();
    const { chunks } = this.#writer.content;
    for (const part of pieces({ size: end, chunks }, this.#hashed)) this.#hash.update(part);
    this.#hashed = end;
  }

  #present(): Content | undefined {
    const { store } = this.#keep;
    return store.stat(this.path)?.kind === "file" ? store.content(this.path) : undefined;
  }
}

/** Turns the store's refusals into the keep's. */
export function storing<T>(act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    throw thrown instanceof WasiError ? storeRefusal(thrown) : thrown;
  }
}

function storeRefusal(thrown: WasiError): KeepError {
  switch (thrown.code) {
    case "STORE_FULL":
      return new KeepError("STORAGE_FULL", "the keep has no room left for this", { cause: thrown });
    case "STORE_NOT_FOUND":
      return new KeepError("FILE_MISSING", "there is no such file", { cause: thrown });
    default:
      return new KeepError("FILE_KIND", `the path can't be used that way: ${thrown.message}`, {
        cause: thrown,
      });
  }
}
