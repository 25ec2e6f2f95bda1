// Blobs in an S3 bucket, one object each, under its digest. An upload goes straight to that name, as a multipart upload
// where it is larger than one part: S3 itself shows nothing of one before it is completed, and it is completed only when
// the digest of all that was sent is right. So nothing is copied, and no disk is needed. Every part is signed with its own
// SHA-256, so that the store takes no other bytes than were hashed here.
import type { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type MultipartUpload,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { StoreError } from "../errors.ts";
import { type BlobPlace, DIGEST, type Incoming, type PutBlob } from "./blob-place.ts";
import { IncomingDigest } from "./checked-bytes.ts";
import { readWithin } from "./read-within.ts";
import { resumedBytes } from "./resumed-bytes.ts";
import { partSizeOf, S3Upload } from "./s3-upload.ts";

/** Which bucket, and who speaks with it. */
export interface S3Place {
  /** Its time limits bound every request. */
  readonly client: S3Client;
  readonly bucket: string;
  /** Before every name; ends with a slash, or is empty. */
  readonly prefix: string;
}

const SILENCE_MS = 60_000;
/** Longer than any upload takes: parts of one that goes on must not be swept away. */
const SWEEP_MS = 24 * 60 * 60 * 1000;

/**
 * Opens the blobs in a bucket.
 * @param options.sweepMs after how long an upload that is not completed counts as interrupted; a day by default
 * @param options.silenceMs how long to wait for the next part while reading; a minute by default
 * @throws StoreError BLOB_UNREACHABLE from every method when the store refuses or does not answer
 */
export function s3Blobs(
  place: S3Place,
  options: { sweepMs?: number; silenceMs?: number } = {},
): BlobPlace {
  return new S3Blobs(place, options.sweepMs ?? SWEEP_MS, options.silenceMs ?? SILENCE_MS);
}

class S3Blobs implements BlobPlace {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #sweepMs: number;
  readonly #silenceMs: number;
  /** Uploads of this process that go on. */
  readonly #own = new Set<string>();

  constructor({ client, bucket, prefix }: S3Place, sweepMs: number, silenceMs: number) {
    this.#client = client;
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#sweepMs = sweepMs;
    this.#silenceMs = silenceMs;
  }

  async receive(source: AsyncIterable<Uint8Array>, expected: PutBlob): Promise<Incoming> {
    const digest = new IncomingDigest(expected);
    const upload = new S3Upload(this.#client, this.#at(expected.sha256), this.#own);
    const parts = new Parts(partSizeOf(expected.maximumBytes));
    try {
      for await (const bytes of source) {
        digest.add(bytes);
        for (const part of parts.add(bytes)) await asked(upload.send(part));
      }
      const blob = digest.finish();
      const last = parts.rest();
      if (upload.isOpen) {
        if (last.length > 0) await asked(upload.send(last));
        await asked(upload.settle());
      }
      const keep = async (): Promise<void> => {
        // The same bytes may have come twice.
        if ((await this.size(blob.sha256)) === blob.size) await upload.abort();
        else if (upload.isOpen) await asked(upload.complete());
        else await asked(this.#put(blob.sha256, last));
      };
      return { blob, keep, drop: () => upload.abort() };
    } catch (thrown) {
      await upload.abort();
      throw thrown;
    }
  }

  async *read(sha256: string, offset: number): AsyncGenerator<Uint8Array> {
    const size = await this.size(sha256);
    if (size === undefined) throw missing(sha256);
    const place = this.#at(sha256);
    const open = async (position: number): Promise<AsyncIterable<Uint8Array>> => {
      const Range = `bytes=${position}-`;
      const { Body } = await this.#client.send(new GetObjectCommand({ ...place, Range }));
      return readWithin(Body as Readable, this.#silenceMs);
    };
    try {
      yield* resumedBytes({ offset, size, open, isWorthTrying: (cause) => !isRefused(cause) });
    } catch (thrown) {
      throw isAbsent(thrown) ? missing(sha256) : unreachable(thrown);
    }
  }

  async size(sha256: string): Promise<number | undefined> {
    try {
      const { ContentLength } = await this.#client.send(new HeadObjectCommand(this.#at(sha256)));
      return ContentLength;
    } catch (thrown) {
      if (isAbsent(thrown)) return undefined;
      throw unreachable(thrown);
    }
  }

  async remove(sha256: string): Promise<boolean> {
    if ((await this.size(sha256)) === undefined) return false;
    await asked(this.#client.send(new DeleteObjectCommand(this.#at(sha256))));
    return true;
  }

  async *list(): AsyncGenerator<readonly string[]> {
    let token: string | undefined;
    do {
      const page = await asked(
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: this.#prefix,
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
        ),
      );
      yield (page.Contents ?? [])
        .map(({ Key = "" }) => Key.slice(this.#prefix.length))
        .filter((name) => DIGEST.test(name));
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async sweep(): Promise<void> {
    const before = Date.now() - this.#sweepMs;
    for (const { Key = "", UploadId = "", Initiated } of await this.#openUploads()) {
      const isOurs = DIGEST.test(Key.slice(this.#prefix.length)) && !this.#own.has(UploadId);
      if (!isOurs || Initiated === undefined || Initiated.getTime() > before) continue;
      const upload = { Bucket: this.#bucket, Key, UploadId };
      await this.#client.send(new AbortMultipartUploadCommand(upload)).catch(unlessAbsent);
    }
  }

  /** One page of them: what is beyond it is for the next time. */
  async #openUploads(): Promise<MultipartUpload[]> {
    const where = { Bucket: this.#bucket, Prefix: this.#prefix };
    try {
      return (await this.#client.send(new ListMultipartUploadsCommand(where))).Uploads ?? [];
    } catch (thrown) {
      // Small stores can't tell: theirs are swept by whoever runs them.
      if ((thrown as { name?: string }).name === "NotImplemented") return [];
      throw unreachable(thrown);
    }
  }

  async #put(sha256: string, bytes: Uint8Array): Promise<void> {
    await this.#client.send(new PutObjectCommand({ ...this.#at(sha256), Body: bytes }));
  }

  #at(sha256: string): { Bucket: string; Key: string } {
    if (!DIGEST.test(sha256)) throw new StoreError("BLOB_MISSING", "not a digest");
    return { Bucket: this.#bucket, Key: `${this.#prefix}${sha256}` };
  }
}

/** Cuts bytes into parts of one size. Two buffers take turns: one is filled while the other is sent. */
class Parts {
  readonly #size: number;
  #buffer: Uint8Array = new Uint8Array(0);
  #other: Uint8Array = new Uint8Array(0);
  #filled = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** Parts that are full now; each is to be sent, and the one before it to have arrived, before the next is asked for. */
  *add(bytes: Uint8Array): Generator<Uint8Array> {
    let rest = bytes;
    while (rest.length > 0) {
      this.#grow(rest.length);
      const taken = rest.subarray(0, this.#buffer.length - this.#filled);
      this.#buffer.set(taken, this.#filled);
      this.#filled += taken.length;
      rest = rest.subarray(taken.length);
      if (this.#filled < this.#size) continue;
      [this.#buffer, this.#other] = [this.#other, this.#buffer];
      this.#filled = 0;
      yield this.#other;
    }
  }

  rest(): Uint8Array {
    return this.#buffer.subarray(0, this.#filled);
  }

  /** Most blobs are far smaller than a part. */
  #grow(by: number): void {
    const wanted = Math.min(this.#size, this.#filled + by);
    if (wanted <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.min(this.#size, Math.max(wanted, 2 * this.#buffer.length)));
    larger.set(this.#buffer.subarray(0, this.#filled));
    this.#buffer = larger;
  }
}

async function asked<T>(request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (thrown) {
    throw unreachable(thrown);
  }
}

function unlessAbsent(thrown: unknown): void {
  if (!isAbsent(thrown)) throw unreachable(thrown);
}

function unreachable(cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const { name, message } = cause as Error;
  const text = `the bucket of blobs does not do as asked: ${name}: ${message}`;
  return new StoreError("BLOB_UNREACHABLE", text, { cause });
}

function missing(sha256: string): StoreError {
  return new StoreError("BLOB_MISSING", `blob ${sha256} is not stored`);
}

function isAbsent(thrown: unknown): boolean {
  const { name } = thrown as { name?: string };
  return name === "NotFound" || name === "NoSuchKey" || name === "NoSuchUpload";
}

function isRefused(thrown: unknown): boolean {
  const { $metadata } = thrown as { $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode ?? 0;
  return status >= 400 && status < 500;
}
