// What a keep refuses, and why it does not start. Only the door turns codes into HTTP statuses.
import { type ErrorDetails, HoldfastError } from "@holdfast/core";

/** Why a keep does not start. */
export type BootErrorCode =
  | "BOOT_CONFIG"
  | "BOOT_POLICY"
  | "BOOT_ATTESTATION_URL"
  | "BOOT_SERVICE"
  | "BOOT_REFUSED"
  | "BOOT_EVIDENCE"
  | "BOOT_CERTIFICATE"
  | "BOOT_REHEARSAL"
  | "BOOT_LISTEN";

/** Why an input does not come. */
export type InputErrorCode =
  | "INPUT_SOURCE_FAILED"
  | "INPUT_SOURCE_REFUSED"
  | "INPUT_MISMATCH"
  | "INPUT_KEY_UNREACHABLE"
  | "INPUT_KEY_REFUSED";

/** Why a request is refused. */
export type KeepErrorCode =
  | "REQUEST_INVALID"
  | "REQUEST_TOO_LARGE"
  | "REQUEST_TYPE"
  | "REQUEST_LIMIT"
  | "ROUTE_UNKNOWN"
  | "METHOD_UNKNOWN"
  | "RIGHTS_MISSING"
  | "POLICY_EXPIRED"
  | "CONSENT_MISSING"
  | "CONSENT_INVALID"
  | "FILE_MISSING"
  | "FILE_KIND"
  | "FILE_PIN_MISMATCH"
  | "FILE_PINNED"
  | "FILE_RANGE"
  | "DIGEST_MISMATCH"
  | "STORAGE_FULL"
  | "READ_LIMIT"
  | "UPLOAD_MISSING"
  | "UPLOAD_OFFSET"
  | "UPLOAD_BUSY"
  | "UPLOAD_LENGTH"
  | "RUN_MISSING"
  | "RUN_LIMIT"
  | "RUN_BUSY"
  | "RUN_MEMORY"
  | "RUN_TOO_LARGE"
  | "RUN_NOT_ENDED"
  | "PROGRAM_UNKNOWN"
  | "PROGRAM_INVALID"
  | "INPUT_MISSING"
  | "INPUT_FETCHED"
  | "SHUTDOWN_REFUSED"
  | "KEEP_ENDING"
  | "EVIDENCE_UNAVAILABLE";

/** What is answered when the keep itself is at fault. */
export type KeepFaultCode = "KEEP_INTERNAL";

/** A keep that can't start. Its message goes to the log, which the host reads. */
export class BootError extends HoldfastError {
  declare readonly code: BootErrorCode;

  constructor(code: BootErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, options);
  }
}

/** An input that does not come; whoever has an identity in the policy is told. */
export class InputError extends HoldfastError {
  declare readonly code: InputErrorCode;

  constructor(code: InputErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, options);
  }
}

/** A request that is refused; the message is for the caller, whose identity is known. */
export class KeepError extends HoldfastError {
  declare readonly code: KeepErrorCode;

  constructor(
    code: KeepErrorCode,
    message: string,
    options: { cause?: unknown; details?: ErrorDetails } = {},
  ) {
    super(code, message, options);
  }
}
