// An object of S3 as a stream that ends well only when it was whole: its length as announced, the same object all along
// (If-Match), and its MD5 where the store says it. A connection that breaks is taken up where it broke. The last part is
// held back until all is known to be right, so that a reader never has all of a wrong object.
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { GetObjectCommand, type GetObjectCommandOutput, type S3Client } from "@aws-sdk/client-s3";

/** Which object. */
export interface S3Place {
  readonly bucket: string;
  readonly key: string;
}

const MD5_ETAG = /^"?([0-9a-f]{32})"?$/;
/** Breaks in a row without a byte in between. */
const ATTEMPTS = 4;
const FIRST_WAIT_MS = 200;

/** The bytes of an object, from any offset, as often as needed. */
export class S3Object {
  readonly size: number | undefined;
  readonly #store: S3Client;
  readonly #place: S3Place;
  readonly #signal: AbortSignal;
  readonly #etag: string | undefined;
  readonly #md5: string | undefined;
  readonly #hash = createHash("md5");
  #hashed = 0;
  #first: Readable | undefined;
  #current: Readable | undefined;
  #failure: unknown;

  private constructor(
    store: S3Client,
    place: S3Place,
    signal: AbortSignal,
    answer: GetObjectCommandOutput,
  ) {
    this.#store = store;
    this.#place = place;
    this.#signal = signal;
    this.size = answer.ContentLength;
    this.#etag = answer.ETag;
    // With keys of a key service, or of the customer, an ETag is no digest.
    const isPlain = answer.ServerSideEncryption !== "aws:kms" && !answer.SSECustomerAlgorithm;
    this.#md5 = isPlain ? MD5_ETAG.exec(answer.ETag ?? "")?.[1] : undefined;
    this.#first = this.#take(answer);
  }

  /** Asks for an object. Throws what the SDK throws. */
  static async open(store: S3Client, place: S3Place, signal: AbortSignal): Promise<S3Object> {
    const command = new GetObjectCommand({ Bucket: place.bucket, Key: place.key });
    const answer = await store.send(command, { abortSignal: signal });
    return new S3Object(store, place, signal, answer);
  }

  /** What went wrong on the side of S3, if anything. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Lets go of the connection to S3. */
  abandon(): void {
    this.#current?.destroy();
  }

  /** The bytes from an offset to the end. */
  async *read(offset: number): AsyncGenerator<Uint8Array> {
    let held: Uint8Array | undefined;
    try {
      for await (const part of this.#parts(offset)) {
        if (held !== undefined) yield held;
        held = part;
      }
      this.#checkDigest();
    } catch (cause) {
      this.#failure = cause;
      throw cause;
    }
    if (held !== undefined) yield held;
  }

  async *#parts(offset: number): AsyncGenerator<Uint8Array> {
    let position = offset;
    let attempts = 0;
    while (this.size === undefined || position < this.size) {
      try {
        for await (const part of await this.#streamFrom(position)) {
          attempts = 0;
          this.#note(part, position);
          position += part.length;
          yield part;
        }
        if (this.size === undefined || position === this.size) return;
        throw new Error(`the object ended after ${position} of ${this.size} bytes`);
      } catch (cause) {
        attempts += 1;
        if (attempts >= ATTEMPTS || !this.#isWorthTrying(cause)) throw cause;
        await sleep(FIRST_WAIT_MS * 2 ** (attempts - 1), undefined, { signal: this.#signal });
      }
    }
    if (position !== this.size) throw new Error(`the object is longer than its ${this.size} bytes`);
  }

  async #streamFrom(position: number): Promise<AsyncIterable<Uint8Array>> {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined && position === 0) return first;
    first?.destroy();
    const { bucket, key } = this.#place;
    const answer = await this.#store.send(
      new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        Range: `bytes=${position}-`,
        ...(this.#etag === undefined ? {} : { IfMatch: this.#etag }),
      }),
      { abortSignal: this.#signal },
    );
    return this.#take(answer);
  }

  #take({ Body }: GetObjectCommandOutput): Readable {
    const stream = Body as Readable;
    // Whoever reads learns of errors by reading; without a listener one in between would end the process.
    stream.on("error", () => undefined);
    this.#current = stream;
    return stream;
  }

  /** Without an ETag nobody could tell that it is still the same object; what S3 refuses stays refused. */
  #isWorthTrying(cause: unknown): boolean {
    const { $metadata } = cause as { $metadata?: { httpStatusCode?: number } };
    const status = $metadata?.httpStatusCode;
    const isRefused = status !== undefined && status >= 400 && status < 500;
    return (
      this.#etag !== undefined && this.size !== undefined && !isRefused && !this.#signal.aborted
    );
  }

  /** Bytes that come a second time, after a break on the other side, were hashed the first time. */
  #note(part: Uint8Array, position: number): void {
    const known = this.#hashed - position;
    if (known < part.length) this.#hash.update(known > 0 ? part.subarray(known) : part);
    this.#hashed = Math.max(this.#hashed, position + part.length);
  }

  #checkDigest(): void {
    if (this.#md5 === undefined) return;
    const md5 = this.#hash.copy().digest("hex");
    if (md5 === this.#md5) return;
    throw new Error(`the object's MD5 is ${md5}, its store says ${this.#md5}`);
  }
}
