// Memory that a socket receives into. TLS hands out records of 16 KiB at most; an event and an allocation for each
// would cost more than decrypting it.

/** What Node's `onread` wants of a socket's owner. */
export interface OnRead {
  buffer(): Uint8Array;
  callback(count: number): boolean;
}

const SLAB_BYTES = 256 * 1024;
const RECORD_BYTES = 16 * 1024;

/** Receives for one socket; bytes that were handed on are never written to again. */
export class Inbox {
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #at = 0;
  #take: (bytes: Uint8Array) => boolean = () => {
    this.#spokeFirst = true;
    return false;
  };
  #spokeFirst = false;

  /** For the socket's options. */
  readonly onRead: OnRead = {
    buffer: () => {
      if (SLAB_BYTES - this.#at < RECORD_BYTES) {
        this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
        this.#at = 0;
      }
      return this.#slab.subarray(this.#at);
    },
    callback: (count) => {
      const start = this.#slab.byteOffset + this.#at;
      this.#at += count;
      return this.#take(new Uint8Array(this.#slab.buffer, start, count));
    },
  };

  /** Whether bytes came before there was anybody to get them. */
  get spokeFirst(): boolean {
    return this.#spokeFirst;
  }

  /** Who gets the bytes; false makes the socket wait. To be set before the socket is resumed. */
  deliverTo(take: (bytes: Uint8Array) => boolean): void {
    this.#take = take;
  }
}
