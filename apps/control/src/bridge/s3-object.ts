// An object of S3 as a stream that ends well only when it was whole: its length as announced, the same object all along
// (If-Match), and a checksum where the store says one. A connection that breaks, or falls silent, is taken up where it
// broke. The last part is held back until all is known to be right, so that a reader never has all of a wrong object.
import { performance } from "node:perf_hooks";
import type { Readable } from "node:stream";
import { GetObjectCommand, type GetObjectCommandOutput, type S3Client } from "@aws-sdk/client-s3";
import { readWithin, resumedBytes } from "@holdfast/store";
import { expectedCheck, type S3Place } from "./checksums/expected-check.ts";
import type { ObjectCheck } from "./checksums/object-check.ts";

/** How an object is read. */
export interface S3ObjectOptions {
  readonly signal: AbortSignal;
  /** How long to wait for the next bytes. */
  readonly silenceMs: number;
}

/** A store that is silent has the other side's connection given up: of how many silences it is the one to blame. */
const SILENCES = 2;

/** The bytes of an object, from any offset, as often as needed. */
export class S3Object {
  readonly size: number;
  readonly #store: S3Client;
  readonly #place: S3Place;
  readonly #options: S3ObjectOptions;
  readonly #etag: string;
  readonly #check: ObjectCheck | undefined;
  #checked = 0;
  #first: Readable | undefined;
  #current: Readable | undefined;
  #failure: unknown;
  /** Readings begun: what reads on for an earlier one is over. */
  #readings = 0;
  /** Since when bytes are asked for that have not come, by a clock that nobody sets. */
  #awaitedSince: number | undefined;

  private constructor(
    store: S3Client,
    place: S3Place,
    options: S3ObjectOptions,
    answer: GetObjectCommandOutput & { ContentLength: number; ETag: string },
    check: ObjectCheck | undefined,
  ) {
    this.#store = store;
    this.#place = place;
    this.#options = options;
    this.size = answer.ContentLength;
    this.#etag = answer.ETag;
    this.#check = check;
    this.#first = bodyOf(answer);
    this.#current = this.#first;
  }

  /**
   * Asks for an object. Throws what the SDK throws, and when the answer says neither which object it is nor how large: any
   * web server has a page for everything.
   */
  static async open(store: S3Client, place: S3Place, options: S3ObjectOptions): Promise<S3Object> {
    const { signal } = options;
    const answer = await store.send(askingForChecksums(place), { abortSignal: signal });
    try {
      const { ContentLength, ETag } = answer;
      if (ContentLength === undefined) throw new Error("the store does not say how large it is");
      if (!ETag) throw new Error("the answer has no ETag: that is no store of objects");
      const check = await expectedCheck(store, place, answer, signal);
      return new S3Object(store, place, options, { ...answer, ContentLength, ETag }, check);
    } catch (thrown) {
      (answer.Body as Readable | undefined)?.destroy();
      throw thrown;
    }
  }

  /** What went wrong on the side of S3, if anything. */
  get failure(): unknown {
    return this.#failure;
  }

  /** What the bytes are checked against; undefined when the store says nothing of them. */
  get checkedBy(): string | undefined {
    return this.#check?.algorithm;
  }

  /** SHA-256 of the whole, when the store says it. */
  get sha256(): Uint8Array | undefined {
    return this.#check?.sha256;
  }

  /** Lets go of the connection to S3. */
  abandon(): void {
    this.#readings += 1;
    this.#current?.destroy();
  }

  /** The bytes from an offset to the end. Reading anew ends what was read before. */
  async *read(offset: number): AsyncGenerator<Uint8Array> {
    this.#readings += 1;
    const reading = this.#readings;
    const isOver = (): boolean => this.#readings !== reading;
    let held: Uint8Array | undefined;
    try {
      this.#refuseSilence();
      for await (const part of this.#parts(offset, isOver)) {
        if (held !== undefined) yield held;
        held = part;
      }
      this.#check?.verify();
    } catch (cause) {
      if (!isOver()) this.#failure = cause;
      throw cause;
    }
    if (held !== undefined) yield held;
  }

  /** Whoever reads anew because the other side gave up waiting would wait for the same silence again. */
  #refuseSilence(): void {
    if (this.#awaitedSince === undefined) return;
    const silence = Math.round(performance.now() - this.#awaitedSince);
    if (silence >= SILENCES * this.#options.silenceMs) {
      throw new Error(`nothing came for ${silence} ms`);
    }
  }

  async *#parts(offset: number, isOver: () => boolean): AsyncGenerator<Uint8Array> {
    const { signal, silenceMs } = this.#options;
    let position = offset;
    const open = async (from: number): Promise<AsyncIterable<Uint8Array>> =>
      readWithin(await this.#streamFrom(from, isOver), silenceMs);
    const isWorthTrying = (cause: unknown): boolean => !isOver() && !isRefused(cause);
    this.#awaitedSince ??= performance.now();
    for await (const part of resumedBytes({
      offset,
      size: this.size,
      open,
      isWorthTrying,
      signal,
    })) {
      this.#awaitedSince = undefined;
      this.#note(part, position);
      position += part.length;
      yield part;
      this.#awaitedSince = performance.now();
    }
    this.#awaitedSince = undefined;
  }

  async #streamFrom(position: number, isOver: () => boolean): Promise<Readable> {
    refuseOver(isOver);
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined && position === 0) return first;
    this.#current?.destroy();
    const { bucket, key } = this.#place;
    const answer = await this.#store.send(
      new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        Range: `bytes=${position}-`,
        IfMatch: this.#etag,
      }),
      { abortSignal: this.#options.signal },
    );
    const stream = bodyOf(answer);
    try {
      refuseOver(isOver);
      // Some stores, and caches before them, know no ranges or no If-Match.
      const isAsked = answer.ContentRange?.startsWith(`bytes ${position}-`) === true;
      if (!isAsked || answer.ETag !== this.#etag) {
        const what = isAsked ? "another object" : "another part of the object";
        throw new Error(`asked to go on at byte ${position}, the store answers with ${what}`);
      }
    } catch (thrown) {
      stream.destroy();
      throw thrown;
    }
    this.#current = stream;
    return stream;
  }

  /** Bytes that come a second time, after a break on the other side, were checked the first time. */
  #note(part: Uint8Array, position: number): void {
    const known = this.#checked - position;
    if (known >= part.length) return;
    this.#check?.add(known > 0 ? part.subarray(known) : part);
    this.#checked = position + part.length;
  }
}

function bodyOf({ Body }: GetObjectCommandOutput): Readable {
  const stream = Body as Readable;
  // Whoever reads learns of errors by reading; without a listener one in between would end the process.
  stream.on("error", () => undefined);
  return stream;
}

/** A reading that is over must not take the connection from the one that goes on. */
function refuseOver(isOver: () => boolean): void {
  if (isOver()) throw new Error("the object is read anew");
}

/** What S3 refuses stays refused. */
function isRefused(cause: unknown): boolean {
  const { $metadata } = cause as { $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  return status !== undefined && status >= 400 && status < 500;
}

/** The SDK would check by itself, but not across a break: so it is not told that checksums were asked for. */
function askingForChecksums({ bucket, key }: S3Place): GetObjectCommand {
  const command = new GetObjectCommand({ Bucket: bucket, Key: key });
  command.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      headers["x-amz-checksum-mode"] = "ENABLED";
      return next(args);
    },
    { step: "build", name: "askForChecksums" },
  );
  return command;
}
