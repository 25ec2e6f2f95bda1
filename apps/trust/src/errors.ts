// What the service refuses, and how it answers: codes for callers, one status each.
import { HoldfastError } from "@holdfast/core";

/** Codes of the attestation service. */
export type TrustErrorCode =
  | "ATTESTATION_REFUSED"
  | "REQUEST_INVALID"
  | "REQUEST_TOO_LARGE"
  | "REQUEST_MEDIA_TYPE"
  | "ROUTE_UNKNOWN"
  | "RATE_LIMITED"
  | "SHUTTING_DOWN"
  | "NOT_READY"
  | "CONFIG_INVALID"
  | "KEYS_UNUSABLE"
  | "STATE_UNUSABLE"
  | "AUTHORITY_UNKNOWN"
  | "AUTHORITY_IN_USE"
  | "ADMIN_REQUIRED"
  | "EVIDENCE_TYPE_UNKNOWN"
  | "EVIDENCE_UNBOUND"
  | "REFERENCE_VALUES_UNKNOWN"
  | "REFERENCE_VALUES_CHANGED"
  | "KEY_NOT_RELEASED"
  | "KEY_UNKNOWN"
  | "KEY_TAKEN"
  | "LOG_UNUSABLE";

const STATUS: Readonly<Partial<Record<TrustErrorCode, number>>> = {
  ATTESTATION_REFUSED: 403,
  REQUEST_INVALID: 400,
  REQUEST_TOO_LARGE: 413,
  REQUEST_MEDIA_TYPE: 415,
  ROUTE_UNKNOWN: 404,
  RATE_LIMITED: 429,
  SHUTTING_DOWN: 503,
  NOT_READY: 503,
  ADMIN_REQUIRED: 401,
  AUTHORITY_UNKNOWN: 404,
  AUTHORITY_IN_USE: 409,
  EVIDENCE_TYPE_UNKNOWN: 422,
  EVIDENCE_UNBOUND: 501,
  REFERENCE_VALUES_UNKNOWN: 404,
  REFERENCE_VALUES_CHANGED: 412,
  KEY_NOT_RELEASED: 403,
  KEY_UNKNOWN: 404,
  KEY_TAKEN: 409,
};

/** A request that is refused, or a service that can't start. */
export class TrustError extends HoldfastError {
  declare readonly code: TrustErrorCode;

  constructor(code: TrustErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, options);
  }

  /** HTTP status of the answer. */
  get status(): number {
    return STATUS[this.code] ?? 500;
  }
}

/** The one answer to whoever fails to prove itself: which check failed is for the operator's log alone. */
export function refusal(): TrustError {
  return new TrustError(
    "ATTESTATION_REFUSED",
    "the evidence was not accepted; the log of the service says why",
  );
}

/** The one answer to a keep that gets no key, whether there is one or not. */
export function keyRefusal(): TrustError {
  return new TrustError(
    "KEY_NOT_RELEASED",
    "the key was not released; the log of the service says why",
  );
}
