// Refusals of the three services: a status, a permanent code, and a sentence that says what to do.

import type { Problem } from "@holdfast/contract";
import { HoldfastError } from "@holdfast/core";

/** Codes of refusals that the services make themselves. */
export type ControlErrorCode =
  | "REQUEST_INVALID"
  | "REQUEST_TOO_LARGE"
  | "REQUEST_MEDIA_TYPE"
  | "ROUTE_NOT_FOUND"
  | "METHOD_NOT_ALLOWED"
  | "SERVICE_FAILED"
  | "SHUTTING_DOWN"
  | "NOT_READY"
  | "ACCESS_UNKNOWN"
  | "ACCESS_DENIED"
  | "ACCESS_KEYS_UNAVAILABLE"
  | "RATE_LIMITED"
  | "REQUEST_TIMEOUT"
  | "REQUEST_HEADERS_TOO_LARGE"
  | "NAME_INVALID"
  | "NAMESPACE_INVALID"
  | "NAMESPACE_UNKNOWN"
  | "NAMESPACE_EXISTS"
  | "NAMESPACE_IN_USE"
  | "QUOTA_FUNCTIONS"
  | "QUOTA_INSTANCES"
  | "QUOTA_BYTES"
  | "QUOTA_MEMORY"
  | "IDEMPOTENCY_KEY_REUSED"
  | "KEEP_NOT_FOUND"
  | "KEEP_FAILED"
  | "KEEP_ENDED"
  | "KEEP_ELSEWHERE"
  | "KEEPS_NO_PORT"
  | "KEEPS_NO_MEMORY"
  | "BUNDLE_MISSING"
  | "ATTESTATION_UNREACHABLE"
  | "FUNCTION_NOT_FOUND"
  | "FUNCTION_EXISTS"
  | "FUNCTION_INCOMPLETE"
  | "FUNCTION_CHANGED"
  | "FUNCTION_FULL"
  | "DRAFT_NOT_FOUND"
  | "VERSION_NOT_FOUND"
  | "VERSION_IN_USE"
  | "ALIAS_NOT_FOUND"
  | "FILE_NOT_IN_FUNCTION"
  | "FILE_NOT_LOADED"
  | "FILE_EXISTS"
  | "FILE_TOO_LARGE"
  | "FILE_HASH_MISMATCH"
  | "UPLOAD_BROKEN"
  | "BLOBS_UNREACHABLE"
  | "STORE_UNREACHABLE"
  | "STORE_DISK_FULL"
  | "FILE_IS_INPUT"
  | "SOURCE_INVALID"
  | "SOURCE_NOT_ALLOWED"
  | "SOURCE_FAILED"
  | "INSTANCE_EXISTS"
  | "INSTANCE_NOT_FOUND"
  | "INSTANCE_NOT_READY"
  | "INSTANCE_ENDED"
  | "INSTANCE_BUSY"
  | "INSTANCE_FAILED"
  | "VAAS_UNREACHABLE"
  | "VAAS_REFUSED"
  | "VAAS_ANSWER"
  | "PROVISIONING_FAILED"
  | "S3_CREDENTIALS"
  | "S3_NOT_FOUND"
  | "S3_READ_FAILED"
  | "COPY_NOT_FOUND"
  | "COPIES_BUSY"
  | "KEEP_IDENTITY"
  | "KEEP_UNREACHABLE"
  | "KEEP_NOT_PROVEN"
  | "KEEP_REFUSED"
  | "CONFIG_INVALID";

/** A request that is refused. */
export class ControlError extends HoldfastError {
  declare readonly code: ControlErrorCode;
  readonly status: number;
  readonly faults: Problem["faults"];
  /** When asking again may come to something; told as Retry-After. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    code: ControlErrorCode,
    message: string,
    options: { cause?: unknown; faults?: Problem["faults"]; retryAfterSeconds?: number } = {},
  ) {
    super(code, message, options.cause === undefined ? {} : { cause: options.cause });
    this.status = status;
    this.faults = options.faults;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
