// The video: encrypted with a fresh key before it leaves the user's hands, or brought encrypted. Of the plain bytes a few
// samples are kept, to look for them later where nobody should have them.
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CliError } from "../errors.ts";
import { readSmallFile, sizeOfFile, writeWholeFile } from "../files.ts";

/** An encrypted video with what opens it. */
export interface EncryptedVideo {
  readonly path: string;
  readonly bytes: number;
  readonly keyPath: string;
  readonly ivPath: string;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  /** Plain bytes from different places of the video. */
  readonly samples: readonly Uint8Array[];
}

const CIPHER = "aes-128-ctr";
const KEY_BYTES = 16;
const SAMPLE_BYTES = 24;
const SAMPLES = 48;
const PART = 1 << 20;

/** Encrypts a plain video with a fresh key and IV, written into a directory for the owner alone. */
export async function encryptVideo(plainPath: string, directory: string): Promise<EncryptedVideo> {
  const key = randomBytes(KEY_BYTES);
  const iv = randomBytes(KEY_BYTES);
  const paths = {
    path: join(directory, "in_enc.h264"),
    keyPath: join(directory, "key"),
    ivPath: join(directory, "iv"),
  };
  await writeWholeFile(paths.keyPath, key, { secret: true });
  await writeWholeFile(paths.ivPath, iv, { secret: true });
  const bytes = await sizeOfFile(plainPath, "video");
  const sampler = new Sampler(bytes);
  await pipeline(
    createReadStream(plainPath, { highWaterMark: PART }),
    sampler,
    createCipheriv(CIPHER, key, iv),
    createWriteStream(paths.path, { mode: 0o600 }),
  );
  return { ...paths, bytes, key, iv, samples: sampler.samples };
}

/**
 * Takes a video that is encrypted already.
 * @throws CliError CLI_INPUT when key or IV do not have 16 bytes
 */
export async function bringVideo(files: {
  path: string;
  keyPath: string;
  ivPath: string;
}): Promise<EncryptedVideo> {
  const key = await readSecret(files.keyPath, "key");
  const iv = await readSecret(files.ivPath, "initialisation vector");
  const bytes = await sizeOfFile(files.path, "video");
  const sampler = new Sampler(bytes);
  sampler.resume();
  await pipeline(
    createReadStream(files.path, { highWaterMark: PART }),
    createDecipheriv(CIPHER, key, iv),
    sampler,
  );
  return { ...files, bytes, key, iv, samples: sampler.samples };
}

async function readSecret(path: string, what: string): Promise<Uint8Array> {
  const bytes = await readSmallFile(path, what, 4096);
  if (bytes.length === KEY_BYTES) return bytes;
  throw new CliError(
    "CLI_INPUT",
    `the ${what} ${path} has ${bytes.length} bytes, not ${KEY_BYTES}`,
  );
}

/** Passes bytes on and keeps some, from places spread over the whole. */
class Sampler extends Transform {
  readonly samples: Uint8Array[] = [];
  readonly #step: number;
  #at = 0;
  #next = 0;

  constructor(total: number) {
    super();
    this.#step = Math.max(SAMPLE_BYTES, Math.floor(total / SAMPLES));
  }

  override _transform(
    part: Buffer,
    _encoding: string,
    done: (e: null, part: Buffer) => void,
  ): void {
    while (this.#next + SAMPLE_BYTES <= this.#at + part.length) {
      const from = Math.max(0, this.#next - this.#at);
      const sample = part.subarray(from, from + SAMPLE_BYTES);
      // Runs of one value are found anywhere and prove nothing.
      if (sample.length === SAMPLE_BYTES && new Set(sample).size > 8) {
        this.samples.push(Uint8Array.from(sample));
      }
      this.#next += this.#step;
    }
    this.#at += part.length;
    done(null, part);
  }
}
