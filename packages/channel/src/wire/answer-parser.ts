// One answer of a keep, as its bytes come in.
import { type AnswerHead, malformed, parseAnswerHead } from "./answer-head.ts";

/** Told what an answer consists of, in order. */
export interface AnswerListener {
  onHead(head: AnswerHead): void;
  onBody(part: Uint8Array): void;
  /** The answer is complete. */
  onEnd(): void;
}

/** What the next bytes are. */
type Expected = "head" | "body" | "size of chunk" | "chunk" | "end of chunk" | "end" | "nothing";

const MAXIMUM_HEAD = 32 * 1024;
const MAXIMUM_LINE = 64;
const CHUNK_SIZE = /^[0-9a-f]{1,12}$/i;

/** Reads one answer. */
export class AnswerParser {
  readonly #method: string;
  readonly #listener: AnswerListener;
  #expected: Expected = "head";
  /** What has come of a head or a line. */
  #begun: Buffer = Buffer.alloc(0);
  /** Bytes to come of a body or a chunk. */
  #left = 0;

  /** @param method of the request that is answered */
  constructor(method: string, listener: AnswerListener) {
    this.#method = method;
    this.#listener = listener;
  }

  /** Takes the next bytes. @throws ChannelError CHANNEL_CLOSED when they can't belong to an answer */
  push(bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0) rest = this.#step(rest);
  }

  /** Takes what it has use for, and returns the rest. */
  #step(bytes: Uint8Array): Uint8Array {
    switch (this.#expected) {
      case "body":
      case "chunk":
        return this.#takeBody(bytes);
      case "nothing":
        throw malformed("more bytes than it has");
      case "head":
        return this.#takeText(bytes, "\r\n\r\n", MAXIMUM_HEAD);
      default:
        return this.#takeText(bytes, "\r\n", MAXIMUM_LINE);
    }
  }

  #takeBody(bytes: Uint8Array): Uint8Array {
    const count = Math.min(bytes.length, this.#left);
    this.#left -= count;
    this.#listener.onBody(count === bytes.length ? bytes : bytes.subarray(0, count));
    if (this.#left === 0) {
      if (this.#expected === "chunk") this.#expected = "end of chunk";
      else this.#end();
    }
    return bytes.subarray(count);
  }

  #takeText(bytes: Uint8Array, mark: string, maximum: number): Uint8Array {
    const text = Buffer.concat([this.#begun, bytes.subarray(0, maximum)]);
    const at = text.indexOf(mark);
    if (at < 0) {
      if (text.length >= maximum) throw malformed(`no end of its ${this.#expected}`);
      this.#begun = text;
      return bytes.subarray(bytes.length);
    }
    const used = at + mark.length - this.#begun.length;
    this.#begun = Buffer.alloc(0);
    this.#onText(text.toString("latin1", 0, at));
    return bytes.subarray(used);
  }

  #onText(text: string): void {
    if (this.#expected === "head") {
      this.#onHead(parseAnswerHead(text, this.#method));
    } else if (this.#expected === "size of chunk") {
      if (!CHUNK_SIZE.test(text)) throw malformed("the size of a chunk");
      this.#left = Number.parseInt(text, 16);
      this.#expected = this.#left === 0 ? "end" : "chunk";
    } else {
      if (text !== "") throw malformed(`its ${this.#expected}`);
      if (this.#expected === "end") this.#end();
      else this.#expected = "size of chunk";
    }
  }

  #onHead(head: AnswerHead): void {
    this.#left = head.length ?? 0;
    this.#expected = head.length === undefined ? "size of chunk" : "body";
    this.#listener.onHead(head);
    if (head.length === 0) this.#end();
  }

  #end(): void {
    this.#expected = "nothing";
    this.#listener.onEnd();
  }
}
