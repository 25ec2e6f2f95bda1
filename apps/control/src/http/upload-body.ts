// A request's body as bytes, as they come; and what to do with the rest of one that nobody wants any more.
import type { IncomingMessage } from "node:http";
import { ControlError } from "../errors.ts";

const SILENCE_MS = 60_000;
const MAXIMUM_REST = 1 << 30;

/**
 * The bytes of a body.
 * @throws ControlError UPLOAD_BROKEN when the sender leaves or falls silent before its end
 */
export async function* incomingBytes(
  request: IncomingMessage,
  silenceMs: number = SILENCE_MS,
): AsyncGenerator<Uint8Array> {
  const { socket } = request;
  const giveUp = (): void => {
    request.destroy(new Error(`nothing came for ${silenceMs} ms`));
  };
  socket.setTimeout(silenceMs, giveUp);
  try {
    for await (const part of request.iterator({ destroyOnReturn: false })) yield part as Uint8Array;
    if (!request.complete) throw new Error("the body ended early");
  } catch (cause) {
    throw new ControlError(400, "UPLOAD_BROKEN", "the upload broke off before its end", { cause });
  } finally {
    socket.off("timeout", giveUp);
    socket.setTimeout(0);
  }
}

/** The length that a sender announces, if it does. */
export function announcedLength({ headers }: IncomingMessage): number | undefined {
  const length = headers["content-length"];
  return length === undefined ? undefined : Number(length);
}

/** Reads on without keeping anything, for a while: most clients look at the answer only after all is sent. */
export function drain(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  let rest = 0;
  request.on("data", (part: Uint8Array) => {
    rest += part.length;
    if (rest > MAXIMUM_REST) request.destroy();
  });
  request.on("error", () => undefined);
  request.resume();
}
