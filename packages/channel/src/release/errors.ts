// What can be wrong with a request for a key, with what is answered to it, and with what the key is for.
import { HoldfastError } from "@holdfast/core";

/** Codes of requests and answers that can't be read. */
export type KeyReleaseErrorCode = "KEY_REQUEST_MALFORMED" | "KEY_ANSWER_UNREADABLE";

/** A request for a key that is none, or a key that is not for us. */
export class KeyReleaseError extends HoldfastError {
  declare readonly code: KeyReleaseErrorCode;

  constructor(code: KeyReleaseErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, options);
  }
}

/** Codes of sealed files. */
export type SealErrorCode = "SEAL_INVALID";

/** A sealed file that can't be opened. */
export class SealError extends HoldfastError {
  declare readonly code: SealErrorCode;

  constructor(code: SealErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, options);
  }
}
