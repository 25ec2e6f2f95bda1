// The base of every error Holdfast throws: a permanent code, a sentence, and details that are safe to show.

/** Facts about a failure that may be logged and returned; never a secret. */
export type ErrorDetails = Readonly<
  Record<string, string | number | boolean | null | readonly string[]>
>;

/** Base class. `code` is permanent (`AREA_REASON`) and is what callers match on; `message` is for people. */
export class HoldfastError extends Error {
  readonly code: string;
  readonly details: ErrorDetails;

  constructor(
    code: string,
    message: string,
    options: { cause?: unknown; details?: ErrorDetails } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** Codes of malformed encodings. */
export type EncodingErrorCode =
  | "ENCODING_HEX"
  | "ENCODING_BASE64"
  | "ENCODING_UTF8"
  | "ENCODING_PEM"
  | "ENCODING_DER"
  | "ENCODING_CBOR";

/** Bytes or text that are not what their format asks for. */
export class EncodingError extends HoldfastError {
  declare readonly code: EncodingErrorCode;

  constructor(code: EncodingErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, options);
  }
}

/** Codes of certificate failures. */
export type CertificateErrorCode = "CERTIFICATE_MALFORMED" | "CERTIFICATE_UNSUPPORTED";

/** A certificate or signing request that can't be read. A path that does not verify is a verdict, not an error. */
export class CertificateError extends HoldfastError {
  declare readonly code: CertificateErrorCode;

  constructor(code: CertificateErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, options);
  }
}

/** The sentence of an unknown thrown value, for messages that wrap a cause. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
