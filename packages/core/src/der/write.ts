// Small writer of DER (X.690 section 10). Callers build inside out: contents first.
import { concat, fromText } from "../bytes.ts";
import { contextTag, fault, TAG } from "./read.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** One element of a tag byte and its content. */
export function der(tag: number, ...content: readonly Uint8Array[]): Bytes {
  const body = concat(...content);
  return concat(Uint8Array.of(tag), encodeLength(body.length), body);
}

/** SEQUENCE of elements. */
export function sequence(...members: readonly Uint8Array[]): Bytes {
  return der(TAG.sequence, ...members);
}

/** SET OF elements, sorted as DER asks (X.690 section 11.6). */
export function setOf(...members: readonly Uint8Array[]): Bytes {
  return der(TAG.set, ...[...members].sort(compareBytes));
}

/** Explicitly tagged, context-specific element. */
export function explicit(number: number, content: Uint8Array): Bytes {
  return der(contextTag(number, true), content);
}

/** INTEGER of big-endian bytes that are not negative; leading zeros are dropped. */
export function unsignedInteger(bytes: Uint8Array): Bytes {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const rest = bytes.subarray(start);
  return der(
    TAG.integer,
    (rest[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(),
    rest.length === 0 ? Uint8Array.of(0) : rest,
  );
}

/** OBJECT IDENTIFIER of dotted form. */
export function oid(dotted: string): Bytes {
  const arcs = dotted.split(".").map((arc) => BigInt(arc));
  const [first, second, ...rest] = arcs;
  if (first === undefined || second === undefined) throw fault(`not an OID: ${dotted}`);
  return der(TAG.oid, ...[first * 40n + second, ...rest].map(encodeArc));
}

/** BIT STRING of whole bytes. */
export function bitString(bytes: Uint8Array): Bytes {
  return der(TAG.bitString, Uint8Array.of(0), bytes);
}

/** BIT STRING of named bits, without trailing zero bits. */
export function namedBits(bits: readonly number[]): Bytes {
  const highest = Math.max(-1, ...bits);
  const bytes = new Uint8Array(Math.ceil((highest + 1) / 8));
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return der(TAG.bitString, Uint8Array.of(highest < 0 ? 0 : 7 - (highest & 7)), bytes);
}

/** OCTET STRING. */
export function octetString(bytes: Uint8Array): Bytes {
  return der(TAG.octetString, bytes);
}

/** BOOLEAN. */
export function boolean(value: boolean): Bytes {
  return der(TAG.boolean, Uint8Array.of(value ? 0xff : 0));
}

/** UTF8String. */
export function utf8String(text: string): Bytes {
  return der(TAG.utf8String, fromText(text));
}

/** UTCTime until 2049, GeneralizedTime after it (RFC 5280 section 4.1.2.5); whole seconds. */
export function time(date: Date): Bytes {
  const digits = date.toISOString().replace(/[-:T]/g, "").slice(0, 14);
  const year = date.getUTCFullYear();
  if (year >= 1950 && year < 2050) return der(TAG.utcTime, fromText(`${digits.slice(2)}Z`));
  return der(TAG.generalizedTime, fromText(`${digits}Z`));
}

function encodeLength(length: number): Bytes {
  if (length < 0x80) return Uint8Array.of(length);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.of(0x80 | bytes.length, ...bytes);
}

function encodeArc(arc: bigint): Bytes {
  const bytes = [Number(arc & 0x7fn)];
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) bytes.unshift(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.from(bytes);
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  for (let i = 0; i < Math.min(left.length, right.length); i += 1) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
