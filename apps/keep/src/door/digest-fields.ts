// Digest fields (RFC 9530): what a sender says its bytes hash to, as a structured dictionary (RFC 8941). Only SHA-256
// decides; other algorithms beside it are left alone, alone they are refused, for a check not made is no check.
import { fromBase64, fromHex, toBase64 } from "@holdfast/core";
import { KeepError } from "../errors.ts";

const MEMBER = /^([a-z0-9-]{1,32})=:([A-Za-z0-9+/=]{0,256}):$/;
const DIGEST_BYTES = 32;

/**
 * The SHA-256 of a Content-Digest or Repr-Digest field.
 * @returns undefined when there is no field
 * @throws KeepError REQUEST_INVALID when it can't be read, or names no SHA-256
 */
export function parseDigest(field: string | undefined): Uint8Array | undefined {
  if (field === undefined) return undefined;
  let found: Uint8Array | undefined;
  for (const member of field.split(",", 8)) {
    const match = MEMBER.exec(member.trim());
    if (match === null) throw new KeepError("REQUEST_INVALID", "the digest field can't be read");
    if (match[1] === "sha-256") found = decode(match[2] ?? "");
  }
  if (found !== undefined) return found;
  throw new KeepError("REQUEST_INVALID", "the digest field names no sha-256");
}

/** The field for a SHA-256 in hexadecimal. */
export function digestField(sha256: string): string {
  return `sha-256=:${toBase64(fromHex(sha256))}:`;
}

function decode(text: string): Uint8Array {
  try {
    const digest = fromBase64(text);
    if (digest.length === DIGEST_BYTES) return digest;
  } catch {
    // Said below.
  }
  throw new KeepError("REQUEST_INVALID", `a sha-256 digest has ${DIGEST_BYTES} bytes`);
}
