// What can go wrong while keeping things.
import { type ErrorDetails, HoldfastError } from "@holdfast/core";

/** Codes of store failures. */
export type StoreErrorCode =
  | "STORE_CONFLICT"
  | "STORE_FULL"
  | "STORE_QUOTA"
  | "STORE_LIMIT"
  | "STORE_GONE"
  | "STORE_NAMESPACE"
  | "BLOB_TOO_LARGE"
  | "BLOB_MISMATCH"
  | "BLOB_MISSING"
  | "BLOB_DAMAGED"
  | "BLOB_BUSY"
  | "BLOB_UNREACHABLE";

/** A record that exists already, room that is used up, or bytes that are not what they should be. */
export class StoreError extends HoldfastError {
  declare readonly code: StoreErrorCode;

  constructor(
    code: StoreErrorCode,
    message: string,
    options: { cause?: unknown; details?: ErrorDetails } = {},
  ) {
    super(code, message, options);
  }
}
