// Bytes from an offset to a known end, over as many streams as it takes: one that breaks is followed by another from
// where it broke.
import { setTimeout as sleep } from "node:timers/promises";

/** What is read, and how. */
export interface ResumedBytes {
  readonly offset: number;
  /** Where the bytes end. */
  readonly size: number;
  /** A stream from a position to the end. */
  readonly open: (position: number) => Promise<AsyncIterable<Uint8Array>>;
  /** Whether another stream could do better. */
  readonly isWorthTrying: (cause: unknown) => boolean;
  readonly signal?: AbortSignal;
}

/** Breaks in a row without a byte in between. */
const ATTEMPTS = 4;
const FIRST_WAIT_MS = 200;

/**
 * Reads on until the end.
 * @throws what the last stream threw; an error when the end is not where it should be
 */
export async function* resumedBytes(source: ResumedBytes): AsyncGenerator<Uint8Array> {
  const { offset, size, open, isWorthTrying, signal } = source;
  let position = offset;
  let attempts = 0;
  while (position < size) {
    try {
      for await (const part of await open(position)) {
        attempts = 0;
        position += part.length;
        if (position > size) throw new Overrun(size);
        yield part;
      }
      if (position < size) throw new Error(`it ended after ${position} of ${size} bytes`);
    } catch (cause) {
      attempts += 1;
      const isOver = attempts >= ATTEMPTS || cause instanceof Overrun || signal?.aborted === true;
      if (isOver || !isWorthTrying(cause)) throw cause;
      const wait = FIRST_WAIT_MS * 2 ** (attempts - 1);
      await sleep(wait, undefined, signal === undefined ? {} : { signal });
    }
  }
}

class Overrun extends Error {
  constructor(size: number) {
    super(`it is longer than its ${size} bytes`);
  }
}
