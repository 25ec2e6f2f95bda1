// What can be wrong with the certificates of a service.
import { HoldfastError } from "@holdfast/core";

/** Codes of certificates and keys that can't be used. */
export type ServiceTlsErrorCode = "TLS_AUTHORITY_UNUSABLE" | "TLS_FILES_UNUSABLE";

/** A certificate or key that a service can't use; the message says which file. */
export class ServiceTlsError extends HoldfastError {
  declare readonly code: ServiceTlsErrorCode;

  constructor(code: ServiceTlsErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, options);
  }
}
