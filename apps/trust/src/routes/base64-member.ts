// Byte strings in bodies: base64 with padding, or a refusal that names the member.
import { EncodingError, fromBase64 } from "@holdfast/core";
import { TrustError } from "../errors.ts";

/**
 * Bytes of a base64 member of a body.
 * @throws TrustError REQUEST_INVALID
 */
export function base64Member(text: string, name: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause;
    throw new TrustError("REQUEST_INVALID", `${name}: ${cause.message}`, { cause });
  }
}
