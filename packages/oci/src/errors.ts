// Why a remote file does not come.
import { HoldfastError } from "@holdfast/core";

/** Codes of sources. */
export type SourceErrorCode = "SOURCE_INVALID" | "SOURCE_NOT_ALLOWED" | "SOURCE_FAILED";

/** A source that names nothing, that may not be asked, or that does not give the file. */
export class SourceError extends HoldfastError {
  declare readonly code: SourceErrorCode;

  constructor(code: SourceErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, options);
  }
}
