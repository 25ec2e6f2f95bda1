// Refusals over HTTP: problem documents (RFC 9457). The only place that knows which status a code has.
import { HoldfastError } from "@holdfast/core";
import { PolicyError } from "@holdfast/policy";
import { BootError, KeepError, type KeepErrorCode, type KeepFaultCode } from "../errors.ts";
import type { Answer } from "./exchange.ts";

const STATUS: Readonly<Record<KeepErrorCode, readonly [number, string]>> = {
  REQUEST_INVALID: [400, "Bad Request"],
  REQUEST_TOO_LARGE: [413, "Content Too Large"],
  REQUEST_TYPE: [415, "Unsupported Media Type"],
  REQUEST_LIMIT: [429, "Too Many Requests"],
  ROUTE_UNKNOWN: [404, "Not Found"],
  METHOD_UNKNOWN: [405, "Method Not Allowed"],
  RIGHTS_MISSING: [403, "Forbidden"],
  POLICY_EXPIRED: [403, "Forbidden"],
  CONSENT_MISSING: [403, "Forbidden"],
  CONSENT_INVALID: [422, "Unprocessable Content"],
  FILE_MISSING: [404, "Not Found"],
  FILE_KIND: [409, "Conflict"],
  FILE_PIN_MISMATCH: [422, "Unprocessable Content"],
  FILE_PINNED: [403, "Forbidden"],
  FILE_RANGE: [416, "Range Not Satisfiable"],
  DIGEST_MISMATCH: [422, "Unprocessable Content"],
  STORAGE_FULL: [507, "Insufficient Storage"],
  READ_LIMIT: [403, "Forbidden"],
  UPLOAD_MISSING: [404, "Not Found"],
  UPLOAD_OFFSET: [409, "Conflict"],
  UPLOAD_BUSY: [409, "Conflict"],
  UPLOAD_LENGTH: [400, "Bad Request"],
  RUN_MISSING: [404, "Not Found"],
  RUN_LIMIT: [403, "Forbidden"],
  RUN_BUSY: [429, "Too Many Requests"],
  RUN_MEMORY: [503, "Service Unavailable"],
  RUN_TOO_LARGE: [507, "Insufficient Storage"],
  RUN_NOT_ENDED: [409, "Conflict"],
  PROGRAM_UNKNOWN: [403, "Forbidden"],
  PROGRAM_INVALID: [422, "Unprocessable Content"],
  INPUT_MISSING: [409, "Conflict"],
  INPUT_FETCHED: [403, "Forbidden"],
  SHUTDOWN_REFUSED: [403, "Forbidden"],
  KEEP_ENDING: [503, "Service Unavailable"],
  EVIDENCE_UNAVAILABLE: [503, "Service Unavailable"],
};

/** The answer to a request that failed. What is not a refusal of ours says nothing but that it failed. */
export function problemOf(thrown: unknown): Answer {
  const error = refusalOf(thrown);
  const [status, title] = STATUS[error.code];
  return {
    status,
    headers: {
      "content-type": "application/problem+json",
      ...(typeof error.details["allow"] === "string" ? { allow: error.details["allow"] } : {}),
      ...(typeof error.details["offset"] === "number"
        ? { "upload-offset": String(error.details["offset"]) }
        : {}),
      ...(typeof error.details["size"] === "number"
        ? { "content-range": `bytes */${error.details["size"]}` }
        : {}),
    },
    json: { type: "about:blank", title, status, code: error.code, detail: error.message },
  };
}

/** Whether a failure is one that the keep means, rather than a fault of its own. */
export function isRefusal(thrown: unknown): boolean {
  return thrown instanceof KeepError || thrown instanceof PolicyError;
}

const INTERNAL: KeepFaultCode = "KEEP_INTERNAL";

/** The answer to a fault of the keep itself; the log has its code. */
export const INTERNAL_PROBLEM: Answer = {
  status: 500,
  headers: { "content-type": "application/problem+json" },
  json: {
    type: "about:blank",
    title: "Internal Server Error",
    status: 500,
    code: INTERNAL,
    detail: "the keep failed to answer; its log says more",
  },
};

/** A code for the log that tells an operator where to look. */
export function codeOf(thrown: unknown): string {
  if (thrown instanceof HoldfastError) return thrown.code;
  return thrown instanceof Error ? thrown.name : "unknown";
}

function refusalOf(thrown: unknown): KeepError {
  if (thrown instanceof KeepError) return thrown;
  // Paths are normalised at this edge: their faults are the request's.
  if (thrown instanceof PolicyError) {
    return new KeepError("REQUEST_INVALID", `${thrown.code}: ${thrown.message}`);
  }
  if (thrown instanceof BootError) {
    return new KeepError("EVIDENCE_UNAVAILABLE", "the platform gave no evidence; try again later");
  }
  throw thrown;
}
