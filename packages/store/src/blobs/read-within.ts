// Reads a stream that may fall silent: nobody waits for its next part for ever.
import type { Readable } from "node:stream";

/**
 * The parts of a stream. Only waiting for it counts as its silence, not what the reader does in between.
 * @throws what the stream throws, and when nothing came for so long; the stream is destroyed then
 */
export async function* readWithin(stream: Readable, silenceMs: number): AsyncGenerator<Uint8Array> {
  const giveUp = (): void => {
    stream.destroy(new Error(`nothing came for ${silenceMs} ms`));
  };
  let timer = setTimeout(giveUp, silenceMs);
  try {
    for await (const part of stream) {
      clearTimeout(timer);
      yield part as Uint8Array;
      timer = setTimeout(giveUp, silenceMs);
    }
  } finally {
    clearTimeout(timer);
  }
}
