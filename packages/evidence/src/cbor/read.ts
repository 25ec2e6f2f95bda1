// Reader of CBOR (RFC 8949) for evidence: size, depth and count are bounded before anything is allocated, map keys are
// unique, integers and lengths minimal, text is UTF-8, nothing follows the item. Maps and arrays of indefinite length
// are read, since newer Nitro hypervisors write them; strings in pieces, floats and unknown simple values are refused.
// Every node keeps the bytes it was read from, as a view: signatures and hashes are over bytes, not over values.
import { EncodingError, toHex, toText } from "@holdfast/core";

/** One data item; `bytes` is the whole of it with its head. */
export type CborNode =
  | { readonly kind: "integer"; readonly value: bigint; readonly bytes: Uint8Array }
  | { readonly kind: "bytes"; readonly value: Uint8Array; readonly bytes: Uint8Array }
  | { readonly kind: "text"; readonly value: string; readonly bytes: Uint8Array }
  | { readonly kind: "array"; readonly items: readonly CborNode[]; readonly bytes: Uint8Array }
  | CborMap
  | {
      readonly kind: "tag";
      readonly tag: bigint;
      readonly item: CborNode;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: "simple"; readonly value: boolean | null; readonly bytes: Uint8Array };

/** A map; keys are integers, texts or byte strings, each once. */
export interface CborMap {
  readonly kind: "map";
  readonly entries: readonly (readonly [key: CborNode, value: CborNode])[];
  readonly bytes: Uint8Array;
}

/** Bounds of a reading. */
export interface CborLimits {
  /** Longest input, in bytes. */
  readonly bytes?: number;
  /** Deepest nesting of arrays, maps and tags. */
  readonly depth?: number;
  /** Most items in the whole input. */
  readonly items?: number;
}

const DEFAULTS = { bytes: 64 * 1024, depth: 16, items: 4096 };
const BREAK = 0xff;

/**
 * Reads exactly one item that fills the input.
 * @throws EncodingError ENCODING_CBOR
 */
export function readCbor(input: Uint8Array, limits: CborLimits = {}): CborNode {
  const bounds = { ...DEFAULTS, ...limits };
  if (input.length > bounds.bytes) {
    throw cborFault(`${input.length} bytes, at most ${bounds.bytes} expected`);
  }
  const reader = new Reader(input, bounds);
  const node = reader.item(0);
  if (reader.at !== input.length) {
    throw cborFault(`${input.length - reader.at} bytes after the item`);
  }
  return node;
}

/** An ENCODING_CBOR error. */
export function cborFault(message: string): EncodingError {
  return new EncodingError("ENCODING_CBOR", message);
}

class Reader {
  at = 0;
  readonly #input: Uint8Array;
  readonly #bounds: Required<CborLimits>;
  #items = 0;

  constructor(input: Uint8Array, bounds: Required<CborLimits>) {
    this.#input = input;
    this.#bounds = bounds;
  }

  item(depth: number): CborNode {
    if (depth > this.#bounds.depth) throw cborFault(`nested over ${this.#bounds.depth} deep`);
    this.#items += 1;
    if (this.#items > this.#bounds.items) throw cborFault(`over ${this.#bounds.items} items`);
    const start = this.at;
    const { major, argument } = this.#head();
    switch (major) {
      case 0:
        return this.#node(start, { kind: "integer", value: definite(argument) });
      case 1:
        return this.#node(start, { kind: "integer", value: -1n - definite(argument) });
      case 2:
        return this.#node(start, { kind: "bytes", value: this.#take(definite(argument)) });
      case 3:
        return this.#node(start, { kind: "text", value: this.#text(definite(argument)) });
      case 4:
        return this.#node(start, { kind: "array", items: this.#array(argument, depth) });
      case 5:
        return this.#node(start, { kind: "map", entries: this.#map(argument, depth) });
      case 6: {
        const tag = definite(argument);
        return this.#node(start, { kind: "tag", tag, item: this.item(depth + 1) });
      }
      default:
        return this.#node(start, { kind: "simple", value: simple(this.#input[start]) });
    }
  }

  #node<T extends object>(start: number, value: T): T & { readonly bytes: Uint8Array } {
    return { ...value, bytes: this.#input.subarray(start, this.at) };
  }

  /** Major type and argument; an indefinite length is undefined. */
  #head(): { major: number; argument: bigint | undefined } {
    const first = this.#byte();
    const major = first >> 5;
    const info = first & 0x1f;
    if (info < 24) return { major, argument: BigInt(info) };
    if (info === 31 && (major === 4 || major === 5)) return { major, argument: undefined };
    if (info > 27 || major === 7) throw cborFault(`head 0x${first.toString(16)} is not supported`);
    const width = 1 << (info - 24);
    const argument = BigInt(`0x${toHex(this.#take(BigInt(width)))}`);
    const least = width === 1 ? 24n : 1n << BigInt(width * 4);
    if (argument < least) throw cborFault(`argument ${argument} is not in its shortest form`);
    return { major, argument };
  }

  #byte(): number {
    const byte = this.#input[this.at];
    if (byte === undefined) throw cborFault("input ends before an item");
    this.at += 1;
    return byte;
  }

  #take(length: bigint): Uint8Array {
    if (length > BigInt(this.#input.length - this.at)) {
      throw cborFault(`length ${length} reaches past the input`);
    }
    const taken = this.#input.subarray(this.at, this.at + Number(length));
    this.at += taken.length;
    return taken;
  }

  #text(length: bigint): string {
    return toText(this.#take(length));
  }

  #array(length: bigint | undefined, depth: number): CborNode[] {
    const items: CborNode[] = [];
    while (this.#more(items.length, length)) items.push(this.item(depth + 1));
    return items;
  }

  #map(length: bigint | undefined, depth: number): [CborNode, CborNode][] {
    const entries: [CborNode, CborNode][] = [];
    const seen = new Set<string>();
    while (this.#more(entries.length, length)) {
      const key = this.item(depth + 1);
      const identity = keyIdentity(key);
      if (seen.has(identity)) throw cborFault(`map key ${identity} stands twice`);
      seen.add(identity);
      entries.push([key, this.item(depth + 1)]);
    }
    return entries;
  }

  #more(have: number, length: bigint | undefined): boolean {
    // A length is only believed item by item: the input ends, or the item bound is met, long before a lie costs memory.
    if (length !== undefined) return BigInt(have) < length;
    if (this.#input[this.at] !== BREAK) return true;
    this.at += 1;
    return false;
  }
}

function definite(argument: bigint | undefined): bigint {
  if (argument === undefined) throw cborFault("indefinite length of a string");
  return argument;
}

function simple(head: number | undefined): boolean | null {
  if (head === 0xf4) return false;
  if (head === 0xf5) return true;
  if (head === 0xf6) return null;
  throw cborFault(`simple value 0x${head?.toString(16)} is not supported`);
}

function keyIdentity(key: CborNode): string {
  if (key.kind === "integer") return String(key.value);
  if (key.kind === "text") return JSON.stringify(key.value);
  if (key.kind === "bytes") return `h'${toHex(key.value)}'`;
  throw cborFault(`map key of kind ${key.kind}`);
}
