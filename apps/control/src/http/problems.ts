// Every error becomes a problem document here, and nowhere else. What is not ours to explain says no more than a
// request id, under which the log has the rest.
import { type Problem, problem, ServiceRefusal } from "@holdfast/contract";
import { PolicyError } from "@holdfast/policy";
import { isDiskFull, isUnreachable, isUnstorableText, StoreError } from "@holdfast/store";
import type { FastifyError } from "fastify";
import type { FastifySchemaValidationError } from "fastify/types/schema.js";
import { ControlError, type ControlErrorCode } from "../errors.ts";
import { storeRefusal } from "./store-refusals.ts";

const MAXIMUM_FAULTS = 50;

/** The problem document of an error; 500 for what nobody foresaw. */
export function problemOf(thrown: unknown, requestId: string): Problem {
  if (thrown instanceof ControlError) {
    return problem(thrown.status, thrown.code, thrown.message, thrown.faults);
  }
  if (thrown instanceof PolicyError) {
    const faults = thrown.faults.slice(0, MAXIMUM_FAULTS);
    return problem(422, thrown.code, thrown.message, faults.length > 0 ? faults : undefined);
  }
  if (thrown instanceof ServiceRefusal) {
    return problem(thrown.status, thrown.code, thrown.message, [...thrown.faults]);
  }
  const refusal = thrown instanceof StoreError ? storeRefusal(thrown) : undefined;
  if (refusal !== undefined) return problem(refusal.status, refusal.code, refusal.message);
  if (isUnstorableText(thrown)) {
    return problem(400, "REQUEST_INVALID", "a name or text in the request has a NUL in it");
  }
  if (isUnreachable(thrown)) {
    return problem(503, "STORE_UNREACHABLE", "the database does not answer; try again later");
  }
  if (isDiskFull(thrown)) {
    return problem(507, "STORE_DISK_FULL", "there is no room left on the disk");
  }
  return frameworkProblem(thrown as FastifyError, requestId);
}

function frameworkProblem(error: FastifyError, requestId: string): Problem {
  if (error.validation !== undefined) {
    const faults = error.validation.slice(0, MAXIMUM_FAULTS).map((each) => ({
      code: `SCHEMA_${String(each.keyword).toUpperCase()}`,
      pointer: each.instancePath,
      message: messageOf(each),
    }));
    const [first] = faults;
    const where = first === undefined || first.pointer === "" ? "" : `${first.pointer}: `;
    const text = `the request is not as its schema says: ${where}${first?.message ?? "unknown"}`;
    return problem(400, "REQUEST_INVALID", text, faults);
  }
  if (error.code === "FST_ERR_MAX_PARAM_LENGTH") {
    return problem(414, "NAME_INVALID", "a name in the path is too long");
  }
  const status = error.statusCode ?? 500;
  if (status >= 500) {
    return problem(
      500,
      "SERVICE_FAILED",
      `something went wrong here; the log has it under ${requestId}`,
    );
  }
  return problem(status, codeOf(status), error.message);
}

/** A member that may not be there is checked against the schema `false`, which says no more than that. */
function messageOf({ keyword, message }: FastifySchemaValidationError): string {
  if (keyword === "boolean") return "is not known here";
  return message ?? "not as the schema says";
}

function codeOf(status: number): ControlErrorCode {
  if (status === 413) return "REQUEST_TOO_LARGE";
  if (status === 415) return "REQUEST_MEDIA_TYPE";
  if (status === 404) return "ROUTE_NOT_FOUND";
  return "REQUEST_INVALID";
}
