// Bytes and their text forms. Decoders are strict: what they accept, the matching encoder gives back.
import { EncodingError } from "./errors.ts";

/** How many arguments a call may have anywhere. */
const CHUNK = 4096;

const HEX = /^(?:[0-9a-f]{2})*$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const BASE64URL = /^[A-Za-z0-9_-]*$/;

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return bytes.toHex();
}

/**
 * Bytes of a hexadecimal text; upper case is accepted.
 * @throws EncodingError ENCODING_HEX when a character or the length is not hexadecimal
 */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const lower = text.toLowerCase();
  if (!HEX.test(lower)) {
    throw new EncodingError("ENCODING_HEX", `not hexadecimal: ${text.length} characters`);
  }
  return Uint8Array.fromHex(lower);
}

/** Base64 with padding (RFC 4648 section 4). */
export function toBase64(bytes: Uint8Array): string {
  return bytes.toBase64();
}

/**
 * Bytes of a base64 text with padding; no white space, no spare bits (RFC 4648 section 3.5).
 * @throws EncodingError ENCODING_BASE64
 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  if (!BASE64.test(text)) throw new EncodingError("ENCODING_BASE64", "not base64 with padding");
  return decodeBase64(text, "base64");
}

/** Base64url without padding (RFC 4648 section 5). */
export function toBase64Url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * Bytes of a base64url text without padding.
 * @throws EncodingError ENCODING_BASE64
 */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  if (!BASE64URL.test(text)) throw new EncodingError("ENCODING_BASE64", "not base64url");
  return decodeBase64(text + "=".repeat((4 - (text.length % 4)) % 4), "base64url");
}

/** UTF-8 bytes of a text. */
export function fromText(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/**
 * Text of UTF-8 bytes; a byte order mark is kept, so that encoding gives the same bytes.
 * @throws EncodingError ENCODING_UTF8
 */
export function toText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new EncodingError("ENCODING_UTF8", "not valid UTF-8", { cause });
  }
}

/** One array of all parts in order. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Whether two arrays hold the same bytes; time depends on the lengths only. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let i = 0; i < left.length; i += 1) difference |= (left[i] ?? 0) ^ (right[i] ?? 0);
  return difference === 0;
}

/** Whether two arrays of public bytes are the same: stops at the first difference, from the end, where signatures stand. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left === right) return true;
  if (left.length !== right.length) return false;
  for (let i = left.length - 1; i >= 0; i -= 1) if (left[i] !== right[i]) return false;
  return true;
}

/** Text of one character a byte; for look-ups, and for character sets whose characters are bytes. */
export function byteText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return text;
}

function decodeBase64(text: string, alphabet: "base64" | "base64url"): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(text, { alphabet, lastChunkHandling: "strict" });
  } catch (cause) {
    throw new EncodingError("ENCODING_BASE64", "not canonical base64", { cause });
  }
}
