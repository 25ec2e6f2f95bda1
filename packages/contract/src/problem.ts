// Errors over HTTP: problem documents (RFC 9457) with a permanent code.
import { type Static, Type } from "typebox";

/** A problem document. `type` is always about:blank: the code says what it is. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String(),
  detail: Type.String(),
  /** All faults of a body that was refused, when there are several. */
  faults: Type.Optional(
    Type.Array(
      Type.Object({ code: Type.String(), pointer: Type.String(), message: Type.String() }),
    ),
  ),
});

/** A problem document. */
export type Problem = Static<typeof Problem>;

/** Media type of problem documents. */
export const PROBLEM_TYPE = "application/problem+json";

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  507: "Insufficient Storage",
};

/**
 * Makes a problem document.
 * @param code permanent, `AREA_REASON`
 * @param detail one sentence that tells the caller what to do
 */
export function problem(
  status: number,
  code: string,
  detail: string,
  faults?: Problem["faults"],
): Problem {
  return {
    type: "about:blank",
    title: TITLES[status] ?? "Error",
    status,
    code,
    detail,
    ...(faults === undefined ? {} : { faults }),
  };
}

/** Reads a problem document from an answer's text; anything else is undefined. */
export function parseProblem(text: string): Problem | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { code, detail, status } = value as Partial<Problem>;
    if (typeof code !== "string" || typeof detail !== "string" || typeof status !== "number")
      return undefined;
    return { ...problem(status, code, detail), ...(value as Problem) };
  } catch {
    return undefined;
  }
}
