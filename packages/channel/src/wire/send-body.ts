// Sends a request at the pace the other side takes it.
import type { Writable } from "node:stream";
import { concat, fromText, type HttpRequest } from "@holdfast/core";
import type { RequestHead } from "./request-head.ts";

const SLICE_BYTES = 1024 * 1024;
/** Up to here head and body leave together. */
const SMALL_BYTES = 16 * 1024;
const NOTHING = new Uint8Array();

/**
 * Sends head and body; resolves when all is handed over, or nobody wants the rest.
 * @param isWanted false once the answer has come or the connection is gone
 * @throws what the source throws, and RangeError when it gives another number of bytes than was said
 */
export async function sendBody(
  out: Writable,
  { text, length }: RequestHead,
  body: HttpRequest["body"] = NOTHING,
  isWanted: () => boolean,
): Promise<void> {
  if (body instanceof Uint8Array && body.length <= SMALL_BYTES) {
    out.write(concat(fromText(text), body));
    return;
  }
  out.write(text);
  let left = length;
  for await (const part of body instanceof Uint8Array ? [body] : body) {
    if (left !== undefined && part.length > left) {
      throw new RangeError(`the source gives more than the ${length} bytes it said`);
    }
    if (left !== undefined) left -= part.length;
    for (let at = 0; at < part.length; at += SLICE_BYTES) {
      if (!isWanted()) return;
      const slice = part.subarray(at, at + SLICE_BYTES);
      if (length === undefined) writeChunk(out, slice);
      else out.write(slice);
      await room(out);
    }
  }
  if (left !== undefined && left > 0) {
    throw new RangeError(`the source gives ${left} bytes less than it said`);
  }
  if (length === undefined) out.write("0\r\n\r\n");
}

function writeChunk(out: Writable, bytes: Uint8Array): void {
  out.cork();
  out.write(`${bytes.length.toString(16)}\r\n`);
  out.write(bytes);
  out.write("\r\n");
  out.uncork();
}

/** Waits until more may be written; a stream that was destroyed has room for everything. */
function room(out: Writable): Promise<void> | undefined {
  if (out.destroyed || !out.writableNeedDrain) return undefined;
  return new Promise((resolve) => {
    const settle = (): void => {
      out.off("drain", settle).off("close", settle);
      resolve();
    };
    out.on("drain", settle).on("close", settle);
  });
}
