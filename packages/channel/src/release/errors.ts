// What can be wrong with a request for a key, and with what is answered to it.
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
