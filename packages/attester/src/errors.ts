// What can go wrong in obtaining evidence.
import { HoldfastError } from "@holdfast/core";

/** Codes of failures to obtain evidence. */
export type AttesterErrorCode =
  | "ATTESTER_AUTHORITY"
  | "ATTESTER_INPUT"
  | "ATTESTER_REFUSED"
  | "ATTESTER_UNREACHABLE"
  | "ATTESTER_PROTOCOL";

/** Evidence that could not be obtained. */
export class AttesterError extends HoldfastError {
  declare readonly code: AttesterErrorCode;

  constructor(code: AttesterErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, options);
  }
}
