// Messages over a byte stream: four bytes of length, big-endian, then that many bytes. A length over the bound ends the
// stream before anything is kept.
import { concat } from "@holdfast/core";
import { AttesterError } from "./errors.ts";

const HEAD = 4;

/** One message with its length before it. */
export function encodeFrame(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(HEAD);
  new DataView(head.buffer).setUint32(0, message.length);
  return concat(head, message);
}

/**
 * The messages of a stream, until it ends.
 * @throws AttesterError ATTESTER_PROTOCOL for a message over the bound, or one that is cut off
 */
export async function* readFrames(
  stream: AsyncIterable<Uint8Array>,
  most: number,
): AsyncGenerator<Uint8Array> {
  let pending = new Uint8Array();
  for await (const part of stream) {
    pending = concat(pending, part);
    for (;;) {
      const length = lengthOf(pending);
      if (length === undefined) break;
      if (length > most) {
        throw new AttesterError("ATTESTER_PROTOCOL", `message of ${length} bytes, at most ${most}`);
      }
      if (pending.length < HEAD + length) break;
      yield pending.slice(HEAD, HEAD + length);
      pending = pending.slice(HEAD + length);
    }
  }
  if (pending.length > 0) throw new AttesterError("ATTESTER_PROTOCOL", "message is cut off");
}

function lengthOf(pending: Uint8Array): number | undefined {
  if (pending.length < HEAD) return undefined;
  return new DataView(pending.buffer, pending.byteOffset).getUint32(0);
}
