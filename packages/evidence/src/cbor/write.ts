// Small writer of CBOR (RFC 8949) in its shortest form. Callers build inside out: contents first.
import { concat, fromText } from "@holdfast/core";
import { cborFault } from "./read.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Null. */
export const nothing: Bytes = Uint8Array.of(0xf6);

/** An integer. */
export function integer(value: number | bigint): Bytes {
  const whole = BigInt(value);
  return whole < 0n ? head(1, -1n - whole) : head(0, whole);
}

/** A byte string. */
export function bytes(value: Uint8Array): Bytes {
  return concat(head(2, BigInt(value.length)), value);
}

/** A text. */
export function text(value: string): Bytes {
  const encoded = fromText(value);
  return concat(head(3, BigInt(encoded.length)), encoded);
}

/** An array of items. */
export function array(...items: readonly Uint8Array[]): Bytes {
  return concat(head(4, BigInt(items.length)), ...items);
}

/** A map of entries, in the order given. */
export function map(...entries: readonly (readonly [Uint8Array, Uint8Array])[]): Bytes {
  return concat(head(5, BigInt(entries.length)), ...entries.flat());
}

/** A map of indefinite length, as newer Nitro hypervisors write it. */
export function indefiniteMap(...entries: readonly (readonly [Uint8Array, Uint8Array])[]): Bytes {
  return concat(Uint8Array.of(0xbf), ...entries.flat(), Uint8Array.of(0xff));
}

/** A tagged item. */
export function tag(number: number, item: Uint8Array): Bytes {
  return concat(head(6, BigInt(number)), item);
}

function head(major: number, argument: bigint): Bytes {
  if (argument < 24n) return Uint8Array.of((major << 5) | Number(argument));
  const width = [1, 2, 4, 8].find((size) => argument < 1n << BigInt(size * 8));
  if (width === undefined) throw cborFault(`${argument} does not fit 64 bits`);
  const digits = argument.toString(16).padStart(width * 2, "0");
  return concat(Uint8Array.of((major << 5) | (24 + Math.log2(width))), Uint8Array.fromHex(digits));
}
