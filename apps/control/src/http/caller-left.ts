// Who leaves before an answer wants nothing any more.
import type { ServerResponse } from "node:http";

/** A signal that aborts when the caller of an answer leaves, or has left already. */
export function callerLeft(answer: ServerResponse): AbortSignal {
  const left = new AbortController();
  answer.once("close", () => left.abort());
  // One that left before this line is not heard of again.
  if (answer.destroyed) left.abort();
  return left.signal;
}
