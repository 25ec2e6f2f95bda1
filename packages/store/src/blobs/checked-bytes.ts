// Bytes held against their SHA-256 while they stream, on the way in and on the way out.
import { createHash } from "node:crypto";
import { StoreError } from "../errors.ts";
import type { Blob, PutBlob } from "./blob-place.ts";

/** Counts and hashes bytes that come in. */
export class IncomingDigest {
  readonly #expected: PutBlob;
  readonly #hash = createHash("sha256");
  #size = 0;

  constructor(expected: PutBlob) {
    this.#expected = expected;
  }

  /** @throws StoreError BLOB_TOO_LARGE */
  add(part: Uint8Array): void {
    const { maximumBytes } = this.#expected;
    this.#size += part.length;
    if (this.#size > maximumBytes) {
      throw new StoreError("BLOB_TOO_LARGE", `more than ${maximumBytes} bytes`, {
        details: { maximum: maximumBytes },
      });
    }
    this.#hash.update(part);
  }

  /** @throws StoreError BLOB_MISMATCH */
  finish(): Blob {
    const sha256 = this.#hash.digest("hex");
    const { sha256: expected } = this.#expected;
    if (sha256 === expected) return { sha256, size: this.#size };
    throw new StoreError("BLOB_MISMATCH", `SHA-256 is ${sha256}, expected ${expected}`, {
      details: { sha256, expected, size: this.#size },
    });
  }
}

/** Gives bytes from an offset to the end, as often as asked. */
export type ReadFrom = (offset: number) => AsyncIterable<Uint8Array>;

/**
 * The same bytes, checked: what has been read is hashed once, however often reading starts anew, and the last part is
 * held back until the digest is known to be right. Nobody ever has all of a wrong blob.
 * @throws StoreError BLOB_DAMAGED from reading
 */
export function checkedReader(sha256: string, read: ReadFrom): ReadFrom {
  const hash = createHash("sha256");
  let hashed = 0;
  return async function* (offset) {
    let position = Math.min(offset, hashed);
    let held: Uint8Array | undefined;
    for await (const part of read(position)) {
      const fresh = part.subarray(Math.max(0, hashed - position));
      hash.update(fresh);
      hashed += fresh.length;
      const wanted = part.subarray(Math.max(0, offset - position));
      position += part.length;
      if (wanted.length === 0) continue;
      if (held !== undefined) yield held;
      held = wanted;
    }
    const found = hash.copy().digest("hex");
    if (found !== sha256) {
      throw new StoreError("BLOB_DAMAGED", `blob ${sha256} is stored with other bytes`, {
        details: { sha256: found, expected: sha256, size: hashed },
      });
    }
    if (held !== undefined) yield held;
  };
}
