// Uploads that can be resumed: what arrived stays when a connection breaks, for its owner to go on, until it goes stale.
import { randomBytes } from "node:crypto";
import type { Clock } from "@holdfast/core";
import type { PolicyIdentity } from "@holdfast/policy";
import { KeepError } from "../errors.ts";
import type { IncomingFile } from "../services/incoming-file.ts";

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

const MAXIMUM_PER_IDENTITY = 8;
const STALE_MS = 15 * 60 * 1000;

/** Uploads of a keep. */
export class Uploads {
  readonly #clock: Clock;
  readonly #uploads = new Map<string, Upload>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Opens an upload.
   * @throws KeepError REQUEST_LIMIT when the identity has too many open
   */
  open(owner: PolicyIdentity, length: number | undefined, file: () => IncomingFile): Upload {
    this.sweep();
    const open = [...this.#uploads.values()].filter((upload) => upload.owner === owner.id);
    if (open.length >= MAXIMUM_PER_IDENTITY) {
      throw new KeepError("REQUEST_LIMIT", `${open.length} uploads are open; finish or drop one`);
    }
    const upload: Upload = {
      id: randomBytes(16).toString("hex"),
      owner: owner.id,
      file: file(),
      length,
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
  get(id: string, owner: PolicyIdentity): Upload {
    const upload = this.#uploads.get(id);
    if (upload === undefined || upload.owner !== owner.id) {
      throw new KeepError("UPLOAD_MISSING", "there is no such upload; start again");
    }
    upload.lastUsed = this.#clock.now();
    return upload;
  }

  /** Forgets an upload, with the bytes of it that no file has taken. */
  drop({ id, file }: Upload): void {
    this.#uploads.delete(id);
    file.abort();
  }

  /** Drops what nobody goes on with. */
  sweep(): void {
    const stale = this.#clock.now().getTime() - STALE_MS;
    for (const upload of this.#uploads.values()) {
      if (!upload.busy && upload.lastUsed.getTime() < stale) this.drop(upload);
    }
  }
}
