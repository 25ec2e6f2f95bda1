// Strict reader of DER (X.690 section 10). Refuses what BER would allow: indefinite and non-minimal lengths,
// high tag numbers, wrong constructed bits, trailing bytes. Nothing is copied: nodes are views.
import { EncodingError } from "../errors.ts";

/** Universal tags as they stand in the first byte, constructed bit included. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element: its tag byte, its content, and the whole of it with header. */
export interface DerNode {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Tag byte of a context-specific element. */
export function contextTag(number: number, constructed: boolean): number {
  return 0x80 | (constructed ? 0x20 : 0) | number;
}

/**
 * Reads exactly one element that fills the input.
 * @param maximum the longest input accepted, in bytes
 * @throws EncodingError ENCODING_DER
 */
export function readDer(bytes: Uint8Array, maximum = 1 << 24): DerNode {
  if (bytes.length > maximum) throw fault(`${bytes.length} bytes, at most ${maximum} expected`);
  const { node, end } = readAt(bytes, 0);
  if (end !== bytes.length) throw fault(`${bytes.length - end} bytes after the element`);
  return node;
}

/**
 * The elements of a constructed one, in order.
 * @throws EncodingError ENCODING_DER
 */
export function derChildren(node: DerNode): DerNode[] {
  const children: DerNode[] = [];
  let at = 0;
  while (at < node.content.length) {
    const { node: child, end } = readAt(node.content, at);
    children.push(child);
    at = end;
  }
  return children;
}

/** Walks the elements of a constructed one, asking for each by tag. */
export class DerCursor {
  readonly #children: DerNode[];
  readonly #where: string;
  #at = 0;

  /** @param where what is being read, for messages: `tbsCertificate` */
  constructor(node: DerNode, where: string, tag: number = TAG.sequence) {
    expectTag(node, tag, where);
    this.#children = derChildren(node);
    this.#where = where;
  }

  /** The next element, which must be there; with `tag`, of that tag. */
  next(what: string, tag?: number): DerNode {
    const node = this.#children[this.#at];
    if (node === undefined) throw fault(`${this.#where}: ${what} is missing`);
    if (tag !== undefined) expectTag(node, tag, `${this.#where}: ${what}`);
    this.#at += 1;
    return node;
  }

  /** The next element when it has the tag, else nothing. */
  optional(tag: number): DerNode | undefined {
    const node = this.#children[this.#at];
    if (node?.tag !== tag) return undefined;
    this.#at += 1;
    return node;
  }

  /** Whether elements are left. */
  get more(): boolean {
    return this.#at < this.#children.length;
  }

  /** Refuses elements that nobody asked for. */
  end(): void {
    if (this.more)
      throw fault(`${this.#where}: ${this.#children.length - this.#at} unknown members`);
  }
}

/** Refuses an element of another tag. */
export function expectTag(node: DerNode, tag: number, where: string): void {
  if (node.tag !== tag) throw fault(`${where}: tag 0x${hex(node.tag)}, expected 0x${hex(tag)}`);
}

function readAt(bytes: Uint8Array, at: number): { node: DerNode; end: number } {
  const tag = bytes[at];
  if (tag === undefined) throw fault("input ends before an element");
  if ((tag & 0x1f) === 0x1f) throw fault("tag numbers over 30 are not supported");
  const { length, start } = readLength(bytes, at + 1);
  const end = start + length;
  if (end > bytes.length) throw fault(`length ${length} reaches past the input`);
  checkConstructed(tag);
  return {
    node: { tag, content: bytes.subarray(start, end), bytes: bytes.subarray(at, end) },
    end,
  };
}

function readLength(bytes: Uint8Array, at: number): { length: number; start: number } {
  const first = bytes[at];
  if (first === undefined) throw fault("input ends in a length");
  if (first < 0x80) return { length: first, start: at + 1 };
  const count = first & 0x7f;
  if (count === 0) throw fault("indefinite length");
  if (count > 4) throw fault(`length of ${count} bytes`);
  let length = 0;
  for (let i = 1; i <= count; i += 1) {
    const byte = bytes[at + i];
    if (byte === undefined) throw fault("input ends in a length");
    length = length * 256 + byte;
  }
  if (length < 0x80 || length < 2 ** (8 * (count - 1))) throw fault("length is not minimal");
  return { length, start: at + 1 + count };
}

function checkConstructed(tag: number): void {
  if ((tag & 0xc0) !== 0) return;
  const constructed = (tag & 0x20) !== 0;
  const must = tag === TAG.sequence || tag === TAG.set;
  if (constructed !== must) throw fault(`tag 0x${hex(tag)} is not used in DER`);
}

function hex(value: number): string {
  return value.toString(16).padStart(2, "0");
}

/** An ENCODING_DER error. */
export function fault(message: string): EncodingError {
  return new EncodingError("ENCODING_DER", message);
}
