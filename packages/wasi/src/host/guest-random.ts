// Randomness as the guest sees it: the machine's, drawn ahead in blocks, or a stream that a seed determines.

import { Buffer } from "node:buffer";
import { type Cipheriv, createCipheriv, createHash, randomFillSync } from "node:crypto";
import type { GuestRandom } from "../run/options.ts";

const BLOCK = 16 * 1024;

/** A guest's randomness. */
export class GuestRandomness {
  readonly #block = Buffer.alloc(BLOCK);
  readonly #zeros = Buffer.alloc(BLOCK);
  readonly #cipher: Cipheriv | undefined;
  #at = BLOCK;

  constructor(random: GuestRandom) {
    if (random === "system") return;
    const key = createHash("sha256").update(random.seed).digest();
    this.#cipher = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
  }

  /** Fills a range of a buffer. */
  fill(target: Buffer, at: number, length: number): void {
    let done = 0;
    while (done < length) {
      if (this.#at === BLOCK) this.#draw();
      const count = Math.min(BLOCK - this.#at, length - done);
      this.#block.copy(target, at + done, this.#at, this.#at + count);
      this.#at += count;
      done += count;
    }
  }

  #draw(): void {
    if (this.#cipher === undefined) randomFillSync(this.#block);
    else this.#block.set(this.#cipher.update(this.#zeros));
    this.#at = 0;
  }
}
