// An object of S3 as a stream that ends well only when it was whole: its length as announced, and its MD5 where the
// store says it. The last part is held back until that is known, so that a reader never has all of a wrong object.
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";

const MD5_ETAG = /^"?([0-9a-f]{32})"?$/;

/** The bytes of an object, once. */
export class WholeObject implements AsyncIterable<Uint8Array> {
  readonly size: number | undefined;
  readonly #stream: Readable;
  readonly #md5: string | undefined;
  #delivered = 0;
  #failure: unknown;

  constructor(answer: GetObjectCommandOutput) {
    this.#stream = answer.Body as Readable;
    // Whoever reads learns of errors by reading; without a listener one in between would end the process.
    this.#stream.on("error", () => undefined);
    this.size = answer.ContentLength;
    // With keys of a key service, or of the customer, an ETag is no digest.
    const isPlain = answer.ServerSideEncryption !== "aws:kms" && !answer.SSECustomerAlgorithm;
    this.#md5 = isPlain ? MD5_ETAG.exec(answer.ETag ?? "")?.[1] : undefined;
  }

  /** Bytes handed on so far. */
  get delivered(): number {
    return this.#delivered;
  }

  /** What went wrong on the side of S3, if anything. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Lets go of the connection to S3. */
  abandon(): void {
    this.#stream.destroy();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const hash = createHash("md5");
    let received = 0;
    let held: Uint8Array | undefined;
    try {
      for await (const part of this.#stream as AsyncIterable<Uint8Array>) {
        hash.update(part);
        received += part.length;
        if (held !== undefined) yield this.#deliver(held);
        held = part;
      }
      this.#check(received, hash.digest("hex"));
    } catch (cause) {
      this.#failure = cause;
      throw cause;
    }
    if (held !== undefined) yield this.#deliver(held);
  }

  #deliver(part: Uint8Array): Uint8Array {
    this.#delivered += part.length;
    return part;
  }

  #check(received: number, md5: string): void {
    if (this.size !== undefined && received !== this.size) {
      throw new Error(`the object ended after ${received} of ${this.size} bytes`);
    }
    if (this.#md5 !== undefined && md5 !== this.#md5) {
      throw new Error(`the object's MD5 is ${md5}, its store says ${this.#md5}`);
    }
  }
}
