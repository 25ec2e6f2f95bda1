// What a caller is told whose request never became one: too slow, too large headers, not HTTP.
import type { Socket } from "node:net";
import { PROBLEM_TYPE, problem } from "@holdfast/contract";

/** Answers and ends the connection, when somebody is still there. For Fastify's `clientErrorHandler`. */
export function answerClientError({ code }: NodeJS.ErrnoException, socket: Socket): void {
  if (code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const answer = problemOf(code);
  const body = JSON.stringify(answer);
  const head = [
    `HTTP/1.1 ${answer.status} ${answer.title}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  // Whoever is slow to read it is not waited for.
  socket.destroySoon();
}

function problemOf(code: string | undefined): ReturnType<typeof problem> {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return problem(408, "REQUEST_TIMEOUT", "the request did not come in within its time");
  }
  if (code === "HPE_HEADER_OVERFLOW") {
    return problem(431, "REQUEST_HEADERS_TOO_LARGE", "the headers are over 16 KiB");
  }
  return problem(400, "REQUEST_INVALID", "this is no HTTP request");
}
