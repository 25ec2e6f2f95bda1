// What is said to whoever sent what never became a request, by the code that Node has for it.
import { type Problem, problem } from "./problem.ts";

/** The problem document for a connection that brought no request. */
export function unheardProblem(code: string | undefined): Problem {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return problem(408, "REQUEST_TIMEOUT", "the request did not come in within its time");
  }
  if (code === "HPE_HEADER_OVERFLOW") {
    return problem(431, "REQUEST_HEADERS_TOO_LARGE", "the headers are over 16 KiB");
  }
  return problem(400, "REQUEST_INVALID", "this is no HTTP request");
}
