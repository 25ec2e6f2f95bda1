// Uploads that can be resumed: what arrived stays when a connection breaks, for its owner to go on, until it goes stale.
// One that is complete is remembered as long, for an owner who never heard of it.
import { randomBytes } from "node:crypto";
import type { Clock } from "@holdfast/core";
import type { PolicyIdentity } from "@holdfast/policy";
import { KeepError } from "../errors.ts";
import type { CommittedFile, IncomingFile } from "../services/incoming-file.ts";

/** An upload under way. */
export interface Upload {
  readonly id: string;
  readonly owner: number;
  readonly file: IncomingFile;
  /** Length of the whole, when the sender said so. */
  readonly length: number | undefined;
  /** Whether a request is adding to it right now. */
  busy: boolean;
  lastUsed: Date;
}

/** An upload whose file stands. */
export interface CompleteUpload {
  readonly id: string;
  readonly owner: number;
  /** Bytes that were sent. */
  readonly received: number;
  readonly result: CommittedFile;
  readonly at: Date;
}

/** What an upload is to become. */
export interface UploadTarget {
  readonly path: string;
  readonly append: boolean;
  readonly length: number | undefined;
}

const MAXIMUM_PER_IDENTITY = 8;
const REMEMBERED_PER_IDENTITY = 16;
const STALE_MS = 15 * 60 * 1000;

/** Uploads of a keep. */
export class Uploads {
  readonly #clock: Clock;
  readonly #uploads = new Map<string, Upload>();
  /** The oldest first. */
  readonly #complete = new Map<string, CompleteUpload>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Opens an upload. One of the same file that its owner has abandoned gives way.
   * @throws KeepError REQUEST_LIMIT when the identity has too many open
   */
  open(owner: PolicyIdentity, target: UploadTarget, file: () => IncomingFile): Upload {
    this.sweep();
    this.#replace(owner.id, target);
    const open = this.#openBy(owner.id).length;
    if (open >= MAXIMUM_PER_IDENTITY) {
      throw new KeepError("REQUEST_LIMIT", `${open} uploads are open; finish or drop one`);
    }
    const upload: Upload = {
      id: randomBytes(16).toString("hex"),
      owner: owner.id,
      file: file(),
      length: target.length,
      busy: false,
      lastUsed: this.#clock.now(),
    };
    this.#uploads.set(upload.id, upload);
    return upload;
  }

  /**
   * The identity's own upload.
   * @throws KeepError UPLOAD_MISSING
   */
  get(id: string, owner: PolicyIdentity): Upload | CompleteUpload {
    this.sweep();
    const upload = this.#uploads.get(id) ?? this.#complete.get(id);
    if (upload === undefined || upload.owner !== owner.id) {
      throw new KeepError("UPLOAD_MISSING", "there is no such upload; start again");
    }
    if ("file" in upload) upload.lastUsed = this.#clock.now();
    return upload;
  }

  /** Its file stands: nothing but that is remembered. */
  complete(upload: Upload, result: CommittedFile): void {
    const { id, owner, file } = upload;
    this.#uploads.delete(id);
    this.#complete.set(id, { id, owner, received: file.received, result, at: this.#clock.now() });
    const own = [...this.#complete.values()].filter((each) => each.owner === owner);
    if (own.length > REMEMBERED_PER_IDENTITY) this.#complete.delete(own[0]?.id ?? "");
  }

  /** Forgets an upload, with the bytes of it that no file has taken. */
  drop(upload: Upload | CompleteUpload): void {
    this.#uploads.delete(upload.id);
    this.#complete.delete(upload.id);
    if ("file" in upload) upload.file.abort();
  }

  /** Drops what nobody goes on with. */
  sweep(): void {
    const stale = this.#clock.now().getTime() - STALE_MS;
    for (const upload of this.#uploads.values()) {
      if (!upload.busy && upload.lastUsed.getTime() < stale) this.drop(upload);
    }
    for (const upload of this.#complete.values()) {
      if (upload.at.getTime() < stale) this.drop(upload);
    }
  }

  #openBy(owner: number): Upload[] {
    return [...this.#uploads.values()].filter((upload) => upload.owner === owner);
  }

  /** Of several writes of one file only the last counts; appends all do, as long as there is room for them. */
  #replace(owner: number, { path, append }: UploadTarget): void {
    const own = this.#openBy(owner);
    const abandoned = own.filter(
      ({ file, busy }) => !busy && file.path === path && file.append === append,
    );
    const isFull = own.length >= MAXIMUM_PER_IDENTITY;
    const inTheWay = append ? abandoned.slice(0, isFull ? 1 : 0) : abandoned;
    for (const upload of inTheWay) this.drop(upload);
  }
}
