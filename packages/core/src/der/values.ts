// Values of DER elements (X.690 sections 8 and 11, RFC 5280 for times). Each accepts the canonical form only.
import { byteText, toHex, toText } from "../bytes.ts";
import { type DerNode, expectTag, fault, TAG } from "./read.ts";

const STRINGS: ReadonlySet<number> = new Set([
  TAG.utf8String,
  TAG.printableString,
  TAG.ia5String,
  TAG.teletexString,
]);

const UTC_TIME = /^\d{12}Z$/;
const GENERALIZED_TIME = /^\d{14}Z$/;
/** Below it seven bits more are still exact as a number. */
const MAXIMUM_SHIFTED = 2 ** 46;

/** BOOLEAN: 00 or ff. */
export function derBoolean(node: DerNode, where: string): boolean {
  expectTag(node, TAG.boolean, where);
  if (node.content.length !== 1 || (node.content[0] !== 0 && node.content[0] !== 0xff)) {
    throw fault(`${where}: not a canonical BOOLEAN`);
  }
  return node.content[0] === 0xff;
}

/** INTEGER as its content bytes, minimal two's complement. */
export function derIntegerBytes(node: DerNode, where: string): Uint8Array {
  if (node.tag !== TAG.enumerated) expectTag(node, TAG.integer, where);
  const [first, second] = node.content;
  if (first === undefined) throw fault(`${where}: empty INTEGER`);
  if (second !== undefined) {
    if (first === 0 && second < 0x80) throw fault(`${where}: INTEGER is not minimal`);
    if (first === 0xff && second >= 0x80) throw fault(`${where}: INTEGER is not minimal`);
  }
  return node.content;
}

/** INTEGER that is not negative and at most 2^53 - 1. */
export function derUnsigned(node: DerNode, where: string): number {
  const bytes = derIntegerBytes(node, where);
  if ((bytes[0] ?? 0) >= 0x80) throw fault(`${where}: negative INTEGER`);
  const value = Number(`0x${toHex(bytes)}`);
  if (!Number.isSafeInteger(value)) throw fault(`${where}: INTEGER too large`);
  return value;
}

/** OBJECT IDENTIFIER in dotted form; arcs of up to 160 bits (UUID arcs are in use). */
export function derOid(node: DerNode, where: string): string {
  expectTag(node, TAG.oid, where);
  if (node.content.length === 0 || node.content.length > 64) throw fault(`${where}: OID length`);
  const arcs: (number | bigint)[] = [];
  let value: number | bigint = 0;
  let fresh = true;
  for (const byte of node.content) {
    if (fresh && byte === 0x80) throw fault(`${where}: OID arc is not minimal`);
    value = shifted(value, byte & 0x7f);
    fresh = (byte & 0x80) === 0;
    if (fresh) {
      arcs.push(value);
      value = 0;
    }
  }
  if (!fresh) throw fault(`${where}: OID ends in the middle of an arc`);
  const [first = 0, ...rest] = arcs;
  if (typeof first === "bigint") return [2, first - 80n, ...rest].join(".");
  const root = first < 80 ? Math.floor(first / 40) : 2;
  return [root, first - root * 40, ...rest].join(".");
}

/** Seven more bits of an arc; exact, however long it gets. */
function shifted(value: number | bigint, bits: number): number | bigint {
  if (typeof value === "bigint") return (value << 7n) | BigInt(bits);
  return value < MAXIMUM_SHIFTED ? value * 128 + bits : (BigInt(value) << 7n) | BigInt(bits);
}

/** BIT STRING of whole bytes. */
export function derBitStringBytes(node: DerNode, where: string): Uint8Array {
  expectTag(node, TAG.bitString, where);
  if (node.content[0] !== 0) throw fault(`${where}: BIT STRING is not of whole bytes`);
  return node.content.subarray(1);
}

/**
 * Named bits that are set in a BIT STRING, by number. Trailing zero bits are refused (X.690 11.2.2), unless the caller
 * knows of issuers that write them.
 */
export function derNamedBits(
  node: DerNode,
  where: string,
  options: { trailingZeros?: boolean } = {},
): ReadonlySet<number> {
  expectTag(node, TAG.bitString, where);
  const [unused, ...bytes] = node.content;
  if (unused === undefined || unused > 7 || (bytes.length === 0 && unused !== 0)) {
    throw fault(`${where}: not a BIT STRING`);
  }
  const last = bytes.at(-1);
  if (last !== undefined && ((last >> unused) & 1) === 0 && !options.trailingZeros)
    throw fault(`${where}: trailing zero bits`);
  if (last !== undefined && (last & ((1 << unused) - 1)) !== 0) {
    throw fault(`${where}: unused bits are set`);
  }
  const set = new Set<number>();
  bytes.forEach((byte, index) => {
    for (let bit = 0; bit < 8; bit += 1) if (byte & (0x80 >> bit)) set.add(index * 8 + bit);
  });
  return set;
}

/** Text of one of the string types; the old types are read as Latin-1. */
export function derString(node: DerNode, where: string): string {
  if (node.tag === TAG.utf8String) return toText(node.content);
  if (node.tag === TAG.bmpString)
    return new TextDecoder("utf-16be", { fatal: true }).decode(node.content);
  if (!STRINGS.has(node.tag)) throw fault(`${where}: not a string`);
  return byteText(node.content);
}

/** UTCTime or GeneralizedTime in the only forms RFC 5280 section 4.1.2.5 allows; a date that exists. */
export function derTime(node: DerNode, where: string): Date {
  const text = byteText(node.content);
  const utc = node.tag === TAG.utcTime;
  if (!utc) expectTag(node, TAG.generalizedTime, where);
  if (!(utc ? UTC_TIME : GENERALIZED_TIME).test(text))
    throw fault(`${where}: not a time of the form ${utc ? "YYMMDDHHMMSSZ" : "YYYYMMDDHHMMSSZ"}`);
  const full = utc ? `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text}` : text;
  const part = (from: number, to: number): number => Number(full.slice(from, to));
  const [year, month, day] = [part(0, 4), part(4, 6), part(6, 8)] as const;
  const [hour, minute, second] = [part(8, 10), part(10, 12), part(12, 14)] as const;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  // A Date rolls 31 February over; what it then says differs from what was read.
  const same =
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second;
  if (!same) throw fault(`${where}: no such date`);
  return date;
}
