// A multipart upload of one object: begun with its first part, one part on its way while the next is filled.
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";

/** S3 takes ten thousand parts, each of 5 MiB at least but for the last. */
const MAXIMUM_PARTS = 10_000;
const PART_SIZE = 8 << 20;

/** How large parts are for an object of at most so many bytes. */
export function partSizeOf(maximumBytes: number): number {
  return Math.max(PART_SIZE, Math.ceil(maximumBytes / MAXIMUM_PARTS));
}

/** An upload to one name. */
export class S3Upload {
  readonly #client: S3Client;
  readonly #place: { readonly Bucket: string; readonly Key: string };
  readonly #own: Set<string>;
  readonly #done: CompletedPart[] = [];
  #id: string | undefined;
  #size = 0;
  #onItsWay: Promise<void> = Promise.resolve();

  /** @param own where its id stands while it goes on */
  constructor(client: S3Client, place: { Bucket: string; Key: string }, own: Set<string>) {
    this.#client = client;
    this.#place = place;
    this.#own = own;
  }

  /** Whether a part was sent. */
  get isOpen(): boolean {
    return this.#id !== undefined;
  }

  /** Sends a part once the one before it has arrived; the buffer is not the caller's any more. */
  async send(part: Uint8Array): Promise<void> {
    await this.#onItsWay;
    const id = this.#id ?? (await this.#begin());
    this.#size += part.length;
    const number = this.#done.length + 1;
    this.#done.push({ PartNumber: number });
    this.#onItsWay = this.#sendPart(id, number, part);
    // Whoever sends the next part, or settles, learns of a failure.
    this.#onItsWay.catch(() => undefined);
  }

  /** Resolves when all parts have arrived. */
  async settle(): Promise<void> {
    await this.#onItsWay;
  }

  /** Makes the object seen. */
  async complete(): Promise<void> {
    const MultipartUpload = { Parts: this.#done };
    const UploadId = this.#id;
    try {
      await this.#client.send(
        new CompleteMultipartUploadCommand({ ...this.#place, UploadId, MultipartUpload }),
      );
    } catch (thrown) {
      if (!(await this.#isThere(thrown))) {
        await this.abort();
        throw thrown;
      }
    }
    this.#forget();
  }

  /** Lets go of all parts, at best effort: what is left is swept later. */
  async abort(): Promise<void> {
    const UploadId = this.#id;
    if (UploadId === undefined) return;
    await this.#onItsWay.catch(() => undefined);
    await this.#client
      .send(new AbortMultipartUploadCommand({ ...this.#place, UploadId }))
      .catch(() => undefined);
    this.#forget();
  }

  async #begin(): Promise<string> {
    const { UploadId } = await this.#client.send(new CreateMultipartUploadCommand(this.#place));
    if (UploadId === undefined) throw new Error("the store gives no upload id");
    this.#own.add(UploadId);
    this.#id = UploadId;
    return UploadId;
  }

  async #sendPart(UploadId: string, PartNumber: number, Body: Uint8Array): Promise<void> {
    const part = { ...this.#place, UploadId, PartNumber, Body };
    const { ETag } = await this.#client.send(new UploadPartCommand(part));
    this.#done[PartNumber - 1] = { PartNumber, ETag };
  }

  /** When only the answer was lost, the upload is not known any more, and the object is there. */
  async #isThere(thrown: unknown): Promise<boolean> {
    if ((thrown as { name?: string }).name !== "NoSuchUpload") return false;
    const { ContentLength } = await this.#client.send(new HeadObjectCommand(this.#place));
    return ContentLength === this.#size;
  }

  #forget(): void {
    if (this.#id !== undefined) this.#own.delete(this.#id);
    this.#id = undefined;
  }
}
