// Errors of the WebAssembly host: modules that are not admitted, files that can't be stored, runs that can't start.
import { type ErrorDetails, HoldfastError } from "@holdfast/core";

/** Codes of WASI errors; permanent. */
export type WasiErrorCode =
  | "MODULE_MALFORMED"
  | "MODULE_TOO_LARGE"
  | "MODULE_IMPORT"
  | "MODULE_MEMORY"
  | "MODULE_FEATURE"
  | "MODULE_ENTRY"
  | "STORE_NOT_FOUND"
  | "STORE_NOT_A_FILE"
  | "STORE_NOT_A_DIRECTORY"
  | "STORE_NOT_EMPTY"
  | "STORE_FULL"
  | "STORE_CONFLICT"
  | "STORE_CLOSED"
  | "RUN_INVALID"
  | "RUN_NO_THREAD"
  | "RUN_CLOSED"
  | "OFFLINE_DIRECTORY"
  | "OFFLINE_WRITE_BACK";

/** What the caller, the module or the store is at fault with. How a run ends is a value, not an error. */
export class WasiError extends HoldfastError {
  declare readonly code: WasiErrorCode;

  constructor(
    code: WasiErrorCode,
    message: string,
    options: { cause?: unknown; details?: ErrorDetails } = {},
  ) {
    super(code, message, options);
  }
}
