// Writes an answer to the wire at the reader's pace; a reader that stops reading is let go.
import type { ServerResponse } from "node:http";
import { fromText } from "@holdfast/core";
import type { Answer } from "./exchange.ts";

/** How long a reader may leave its receive window closed. */
export const READER_TIMEOUT_MS = 60_000;
const SLICE = 256 * 1024;

/**
 * Writes an answer; resolves when it has left or the connection is gone.
 * @param withBody false for HEAD: headers only
 * @param lingering when given, the connection ends with this answer, but not before this has resolved
 */
export async function writeAnswer(
  response: ServerResponse,
  answer: Answer,
  withBody: boolean,
  lingering?: Promise<void>,
): Promise<void> {
  const body = plainBody(answer);
  response.writeHead(answer.status, {
    "cache-control": "no-store",
    ...(body === undefined ? {} : { "content-type": body.type, "content-length": body.length }),
    ...(lingering === undefined ? {} : { connection: "close" }),
    ...answer.headers,
  });
  if (!withBody) await leaveUnread(answer);
  else if (answer.stream !== undefined) await writeStream(response, answer.stream);
  else if (body !== undefined) response.write(body.bytes);
  // Ending closes the connection at once, and what has not been read by then turns into a reset.
  await lingering;
  await ended(response);
  answer.after?.();
}

function plainBody({
  json,
  text,
  stream,
}: Answer): { type: string; length: number; bytes: Uint8Array } | undefined {
  if (stream !== undefined) return undefined;
  if (json === undefined && text === undefined) return undefined;
  const bytes = fromText(text ?? JSON.stringify(json));
  const type = text === undefined ? "application/json" : "text/plain; charset=utf-8";
  return { type, length: bytes.length, bytes };
}

async function writeStream(
  response: ServerResponse,
  stream: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  if (response.destroyed) {
    await leaveUnread({ status: 0, stream });
    return;
  }
  for await (const part of stream) {
    for (let at = 0; at < part.length; at += SLICE) {
      if (response.destroyed) return;
      if (!response.write(part.subarray(at, at + SLICE))) await drained(response);
    }
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      clearTimeout(timer);
      response.off("drain", settle).off("close", settle);
      resolve();
    };
    const timer = setTimeout(() => {
      response.destroy();
      settle();
    }, READER_TIMEOUT_MS);
    response.on("drain", settle).on("close", settle);
    if (response.destroyed) settle();
  });
}

/** Resolves when all has left or the connection is gone; a reader that does not take the rest is let go. */
function ended(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => response.destroy(), READER_TIMEOUT_MS);
    response.once("close", settle);
    response.end(settle);
    // One that has closed does not say so again.
    if (response.closed) settle();
  });
}

/** Lets go of a body that is not wanted. */
export async function leaveUnread({ stream }: Answer): Promise<void> {
  if (stream === undefined) return;
  if (Symbol.asyncIterator in stream) await stream[Symbol.asyncIterator]().return?.();
  else stream[Symbol.iterator]().return?.();
}
