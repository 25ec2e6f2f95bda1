// What a caller is told whose request never became one: too slow, too large headers, not HTTP.
import type { Socket } from "node:net";
import { answerClientError as answer } from "@holdfast/channel";
import { PROBLEM_TYPE, unheardProblem } from "@holdfast/contract";

/** Answers and ends the connection, when somebody is still there. For Fastify's `clientErrorHandler`. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  answer(error, socket, (code) => {
    const document = unheardProblem(code);
    return { ...document, type: PROBLEM_TYPE, body: JSON.stringify(document) };
  });
}
