// What can go wrong in reading evidence. Evidence that reads well but does not convince is a verdict, not an error.
import { HoldfastError } from "@holdfast/core";

/** Codes of unreadable evidence. */
export type EvidenceErrorCode =
  | "EVIDENCE_MALFORMED"
  | "EVIDENCE_TOO_LARGE"
  | "EVIDENCE_UNKNOWN"
  | "ENDORSEMENT_UNUSABLE";

/** Evidence that can't be read as its format asks. */
export class EvidenceError extends HoldfastError {
  declare readonly code: EvidenceErrorCode;

  constructor(code: EvidenceErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, options);
  }
}

/** An EVIDENCE_MALFORMED error. */
export function malformed(message: string, cause?: unknown): EvidenceError {
  return new EvidenceError("EVIDENCE_MALFORMED", message, cause === undefined ? {} : { cause });
}

/** An ENDORSEMENT_UNUSABLE error: a file beside the evidence that endorses nothing. */
export function unusable(message: string): EvidenceError {
  return new EvidenceError("ENDORSEMENT_UNUSABLE", message);
}
