// Sealed files: what a data owner leaves in a place that nobody has to trust. Eight bytes of magic, a nonce of twelve, the
// AES-256-GCM ciphertext (NIST SP 800-38D), a tag of sixteen; the magic is authenticated too. Both ways as a stream: a key
// seals files of any size, each under a fresh nonce. What comes out on opening is nothing before the end says so.
import {
  createCipheriv,
  createDecipheriv,
  type DecipherGCM,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { fromText } from "@holdfast/core";
import { SealError } from "./errors.ts";

/** Bytes of a key. */
export const SEALING_KEY_BYTES = 32;

const CIPHER = "aes-256-gcm";
const MAGIC: Uint8Array = fromText("HFSEAL1\n");
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = MAGIC.length + NONCE_BYTES;

/** How much longer a file is when it is sealed. */
export const SEALED_OVERHEAD: number = HEAD_BYTES + TAG_BYTES;

/**
 * Seals a file.
 * @param key 32 bytes
 */
export async function* sealFile(
  key: Uint8Array,
  plain: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(MAGIC);
  yield MAGIC;
  yield nonce;
  for await (const part of plain) yield cipher.update(part);
  yield cipher.final();
  yield cipher.getAuthTag();
}

/** A sealed file on its way in. */
export interface SealedFile {
  /** @throws SealError SEAL_INVALID when it can't be one, or is longer than announced */
  write(part: Uint8Array): void;
  /** @throws SealError SEAL_INVALID unless all of it came, sealed with this key */
  end(): void;
}

/**
 * Opens a sealed file part by part.
 * @param options.key 32 bytes
 * @param options.size bytes of the sealed file
 * @param options.take is given plain bytes, which count for nothing before `end` has returned
 */
export function openSealed(options: {
  readonly key: Uint8Array;
  readonly size: number;
  readonly take: (plain: Uint8Array) => void;
}): SealedFile {
  const { key, size, take } = options;
  const head = new Uint8Array(HEAD_BYTES);
  const tag = new Uint8Array(TAG_BYTES);
  const tagAt = size - TAG_BYTES;
  let at = 0;
  let decipher: DecipherGCM | undefined;
  /** The bytes of a part from where the file stands up to a place in it. */
  const upTo = (end: number, part: Uint8Array): Uint8Array => {
    const bytes = part.subarray(0, Math.max(end - at, 0));
    at += bytes.length;
    return bytes;
  };
  return {
    write(part) {
      if (size < SEALED_OVERHEAD || at + part.length > size) throw invalid("its length is wrong");
      const ofHead = upTo(HEAD_BYTES, part);
      if (ofHead.length > 0) head.set(ofHead, at - ofHead.length);
      if (at < HEAD_BYTES) return;
      decipher ??= begin(key, head);
      const body = upTo(tagAt, part.subarray(ofHead.length));
      if (body.length > 0) take(decipher.update(body));
      const ofTag = upTo(size, part.subarray(ofHead.length + body.length));
      if (ofTag.length > 0) tag.set(ofTag, at - ofTag.length - tagAt);
    },
    end() {
      if (decipher === undefined || at !== size) throw invalid("it ends too early");
      try {
        take(decipher.setAuthTag(tag).final());
      } catch (cause) {
        throw invalid("it was not sealed with this key, or was changed since", cause);
      }
    },
  };
}

function begin(key: Uint8Array, head: Uint8Array): DecipherGCM {
  if (!timingSafeEqual(head.subarray(0, MAGIC.length), MAGIC)) throw invalid("it is none");
  const nonce = head.subarray(MAGIC.length);
  return createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(MAGIC);
}

function invalid(why: string, cause?: unknown): SealError {
  const text = `the sealed file can't be opened: ${why}`;
  return new SealError("SEAL_INVALID", text, cause === undefined ? {} : { cause });
}
