// Answers are read the same whatever pieces they come in, and what is not exactly one answer is refused.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { concat, fromText, toText } from "@holdfast/core";
import { ChannelError } from "../errors.ts";
import { AnswerParser } from "./answer-parser.ts";

interface Read {
  status?: number;
  headers: Record<string, string>;
  body: string;
  ended: boolean;
}

function read(text: string, options: { method?: string; piece?: number } = {}): Read {
  const result: Read = { headers: {}, body: "", ended: false };
  const parts: Uint8Array[] = [];
  const parser = new AnswerParser(options.method ?? "GET", {
    onHead: ({ status, headers }) => Object.assign(result, { status, headers: { ...headers } }),
    onBody: (part) => parts.push(part),
    onEnd: () => {
      result.ended = true;
    },
  });
  const bytes = fromText(text);
  const piece = options.piece ?? bytes.length;
  for (let at = 0; at < bytes.length; at += piece) parser.push(bytes.subarray(at, at + piece));
  result.body = toText(concat(...parts));
  return result;
}

const WITH_LENGTH =
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: a\r\nVia: x\r\nvia:  y \r\n\r\nhello";
const CHUNKED =
  "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\nA\r\nlo, world!\r\n0\r\n\r\n";

test("a body with a length, and one in chunks, in pieces of any size", () => {
  for (const piece of [1, 2, 3, 7, 1000]) {
    assert.deepEqual(read(WITH_LENGTH, { piece }), {
      status: 200,
      headers: { "content-length": "5", etag: "a", via: "x, y" },
      body: "hello",
      ended: true,
    });
    const chunked = read(CHUNKED, { piece });
    assert.equal(chunked.body, "hello, world!");
    assert.ok(chunked.ended);
  }
});

test("an answer without a body ends with its head", () => {
  assert.ok(read("HTTP/1.1 204 No Content\r\n\r\n").ended);
  assert.ok(read("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ended);
  const head = read("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n", { method: "HEAD" });
  assert.ok(head.ended);
  assert.equal(head.headers["content-length"], "99");
});

test("what has not all come has not ended", () => {
  for (const whole of [WITH_LENGTH, CHUNKED]) {
    for (let length = 0; length < whole.length; length += 1) {
      assert.equal(read(whole.slice(0, length)).ended, false, `${length}`);
    }
  }
});

describe("refused", () => {
  const head = (fields: string): string => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`;
  const chunks = (text: string): string => `${head("transfer-encoding: chunked")}${text}`;
  for (const [fault, text] of Object.entries({
    "another protocol": "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "another version": WITH_LENGTH.replace("1.1", "1.0"),
    "an answer before the answer": "HTTP/1.1 100 Continue\r\n\r\n",
    "no length": head("x: y"),
    "two lengths": head("content-length: 5\r\ncontent-length: 5"),
    "a length and chunks": head("content-length: 5\r\ntransfer-encoding: chunked"),
    "another encoding": head("transfer-encoding: gzip, chunked"),
    "a length that is no number": head("content-length: +5"),
    "a length beyond measure": head(`content-length: ${"9".repeat(20)}`),
    "a folded field": head("content-length: 5\r\n x"),
    "a field without a colon": head("content-length"),
    "a space before the colon": head("content-length : 5"),
    "a control character in a field": head("x: a\0b\r\ncontent-length: 5"),
    "a line that ends with one character": "HTTP/1.1 200 OK\ncontent-length: 0\r\n\r\n",
    "a head without an end": `HTTP/1.1 200 OK\r\nx: ${"y".repeat(40_000)}`,
    "too many fields": head(`${"a: b\r\n".repeat(70)}content-length: 0`),
    "more than its length": `${WITH_LENGTH}!`,
    "a second answer": WITH_LENGTH + WITH_LENGTH,
    "a chunk whose size is no number": chunks("5;x=y\r\nhello\r\n0\r\n\r\n"),
    "a chunk with a negative size": chunks("-5\r\nhello\r\n0\r\n\r\n"),
    "a chunk that is longer than its size": chunks("4\r\nhello\r\n0\r\n\r\n"),
    "a size of chunk without an end": chunks("0".repeat(100)),
    "fields after the chunks": chunks("0\r\nx: y\r\n\r\n"),
  })) {
    test(fault, () => {
      for (const piece of [1, 100_000]) {
        assert.throws(
          () => read(text, { piece }),
          (thrown) => thrown instanceof ChannelError && thrown.code === "CHANNEL_CLOSED",
        );
      }
    });
  }
});
