// Values of CBOR items, asked for by the kind that a format expects. Each names where it stands when it is not.
import { type CborMap, type CborNode, cborFault } from "./read.ts";

/** Bounds of a length, both inclusive. */
export interface LengthRange {
  readonly least: number;
  readonly most: number;
}

/** A byte string of a length within bounds. */
export function cborBytes(node: CborNode, where: string, range: LengthRange): Uint8Array {
  if (node.kind !== "bytes") throw cborFault(`${where}: ${node.kind}, byte string expected`);
  return inRange(node.value, where, range);
}

/** A text of a length within bounds. */
export function cborText(node: CborNode, where: string, range: LengthRange): string {
  if (node.kind !== "text") throw cborFault(`${where}: ${node.kind}, text expected`);
  return inRange(node.value, where, range);
}

/** An integer between 0 and 2^53 - 1. */
export function cborUnsigned(node: CborNode, where: string): number {
  const value = cborInteger(node, where);
  if (value < 0) throw cborFault(`${where}: ${value} is negative`);
  return value;
}

/** An integer whose magnitude is at most 2^53 - 1. */
export function cborInteger(node: CborNode, where: string): number {
  if (node.kind !== "integer") throw cborFault(`${where}: ${node.kind}, integer expected`);
  const value = Number(node.value);
  if (!Number.isSafeInteger(value)) throw cborFault(`${where}: integer is too large`);
  return value;
}

/** An array of a length within bounds. */
export function cborArray(node: CborNode, where: string, range: LengthRange): readonly CborNode[] {
  if (node.kind !== "array") throw cborFault(`${where}: ${node.kind}, array expected`);
  return inRange(node.items, where, range);
}

/** A map. */
export function cborMap(node: CborNode, where: string): CborMap {
  if (node.kind !== "map") throw cborFault(`${where}: ${node.kind}, map expected`);
  return node;
}

/** The value of a text or integer key, if the map has it. */
export function cborEntry(map: CborMap, key: string | number): CborNode | undefined {
  const wanted = typeof key === "string" ? key : BigInt(key);
  const kind = typeof key === "string" ? "text" : "integer";
  return map.entries.find(([name]) => name.kind === kind && name.value === wanted)?.[1];
}

/** The value of a key that must be there. */
export function cborRequired(map: CborMap, key: string | number, where: string): CborNode {
  const node = cborEntry(map, key);
  if (node === undefined) throw cborFault(`${where}: ${key} is missing`);
  return node;
}

function inRange<T extends { readonly length: number }>(
  value: T,
  where: string,
  { least, most }: LengthRange,
): T {
  if (value.length >= least && value.length <= most) return value;
  throw cborFault(
    least === most
      ? `${where}: length ${value.length}, ${least} expected`
      : `${where}: length ${value.length}, ${least} to ${most} expected`,
  );
}
