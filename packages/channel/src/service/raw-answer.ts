// An answer where there is no request to answer, written on the bare connection, which ends with it.
import type { Socket } from "node:net";

/** What is written. */
export interface RawAnswer {
  readonly status: number;
  /** The status in words. */
  readonly title: string;
  readonly type: string;
  readonly body: string;
}

/** An answer as it goes over the wire. */
export function rawAnswer({ status, title, type, body }: RawAnswer): string {
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    `content-type: ${type}`,
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

/**
 * Answers whoever sent what is no request: too slow, too large headers, not HTTP.
 * @param answerOf the answer, by the code of Node's error
 */
export function answerClientError(
  { code }: NodeJS.ErrnoException,
  socket: Socket,
  answerOf: (code: string | undefined) => RawAnswer,
): void {
  if (code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(rawAnswer(answerOf(code)));
  // Whoever is slow to read it is not waited for.
  socket.destroySoon();
}
