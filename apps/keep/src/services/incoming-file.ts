// A file on its way in: nothing of it is seen before all of it is there and its digests hold.
import { createHash, type Hash } from "node:crypto";
import { equalBytes, toHex } from "@holdfast/core";
import { type Content, type FileStore, WasiError } from "@holdfast/wasi";
import { KeepError } from "../errors.ts";
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
  readonly #writer: FileWriter;
  /** What an append goes on from. */
  readonly #base: Content | undefined;
  readonly #hash: Hash = createHash("sha256");
  #received = 0;

  constructor(keep: KeepState, options: IncomingOptions) {
    this.path = options.path;
    this.append = options.append;
    this.#keep = keep;
    this.#options = options;
    this.#base = options.append ? this.#present() : undefined;
    this.#writer = storing(() => keep.store.openWrite(options.path, { append: options.append }));
  }

  /** Bytes received so far. */
  get received(): number {
    return this.#received;
  }

  /** @throws KeepError STORAGE_FULL */
  write(part: Uint8Array): void {
    storing(() => this.#writer.write(part));
    this.#hash.update(part);
    this.#received += part.length;
  }

  /**
   * Makes the file stand.
   * @throws KeepError DIGEST_MISMATCH, FILE_PIN_MISMATCH, FILE_CHANGED, FILE_KIND, STORAGE_FULL; then nothing of it remains
   */
  commit(): CommittedFile {
    try {
      return this.#commit();
    } catch (thrown) {
      this.abort();
      throw thrown;
    }
  }

  /** Lets the bytes go; harmless after commit. */
  abort(): void {
    this.#writer.abort();
  }

  #commit(): CommittedFile {
    const { path, append, digest } = this.#options;
    const sent = new Uint8Array(this.#hash.digest());
    if (digest !== undefined && !equalBytes(sent, digest)) {
      throw new KeepError("DIGEST_MISMATCH", "what arrived does not have the digest that was sent");
    }
    const sha256 = toHex(sent);
    const pin = this.#keep.policy.fileHashes.get(path);
    if (pin !== undefined && pin !== sha256) {
      throw new KeepError("FILE_PIN_MISMATCH", `the policy pins ${path} to another content`);
    }
    // Another append may have been acknowledged meanwhile: it must not vanish.
    if (append && this.#present() !== this.#base) {
      throw new KeepError("FILE_CHANGED", `${path} has changed meanwhile; try again`);
    }
    storing(() => this.#writer.commit());
    const size = this.#writer.size;
    const isWhole = this.#base === undefined;
    if (isWhole) this.#keep.digests.set(path, sha256);
    else this.#keep.digests.delete(path);
    return { path, size, ...(isWhole ? { sha256 } : {}) };
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
