// Reads a stream part by part. TLS hands out records of 16 KiB at most: parts that are there already are handed on
// without a turn of the event loop for each, which the streams' own iteration takes.
import type { Readable } from "node:stream";

/** Bytes after which the stream waits for its reader. */
const HIGH_WATER = 1024 * 1024;

/** Parts of a stream as they arrive; throws when it breaks off, and ends it when the reader leaves. */
export async function* readParts(stream: Readable): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let size = 0;
  // A reader may come late, and what has happened by then is not told again.
  let ended = stream.readableEnded;
  let fault: unknown =
    stream.errored ?? (stream.destroyed && !ended ? new Error("the stream broke off") : undefined);
  let wake: () => void = () => undefined;
  stream.on("data", (part: Uint8Array) => {
    parts.push(part);
    size += part.length;
    if (size >= HIGH_WATER) stream.pause();
    wake();
  });
  stream.once("end", () => {
    ended = true;
    wake();
  });
  stream.once("error", (thrown) => {
    fault ??= thrown;
    wake();
  });
  stream.once("close", () => {
    if (!ended) fault ??= new Error("the stream broke off");
    wake();
  });
  try {
    for (;;) {
      if (size > 0) {
        const arrived = parts;
        parts = [];
        size = 0;
        stream.resume();
        yield* arrived;
      } else if (fault !== undefined) {
        throw fault;
      } else if (ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    if (!ended) stream.destroy();
  }
}
