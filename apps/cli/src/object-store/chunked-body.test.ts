import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { suite, test } from "node:test";
import { crc32 } from "node:zlib";
import { BodyMismatch, ChunkedBody } from "./chunked-body.ts";

const CHECKSUM = Buffer.alloc(4);
CHECKSUM.writeUInt32BE(crc32("hello, world"));
const TRAILER = `x-amz-checksum-crc32:${CHECKSUM.toString("base64")}\r\n\r\n`;
const WHOLE = `5\r\nhello\r\n7\r\n, world\r\n0\r\n${TRAILER}`;

async function decode(text: string, partLength = text.length): Promise<string> {
  const bytes = Buffer.from(text, "latin1");
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += partLength)
    parts.push(bytes.subarray(at, at + partLength));
  const out: Buffer[] = [];
  for await (const part of Readable.from(parts).compose(new ChunkedBody()))
    out.push(part as Buffer);
  return Buffer.concat(out).toString("latin1");
}

suite("aws-chunked bodies", () => {
  test("lose their frames however they are cut", async () => {
    for (let length = 1; length <= WHOLE.length; length += 1) {
      assert.equal(await decode(WHOLE, length), "hello, world");
    }
  });
  for (const [fault, text] of [
    ["another byte than the checksum's", WHOLE.replace("hello", "jello")],
    ["an end before the last frame", WHOLE.slice(0, 20)],
    ["a size that is no number", WHOLE.replace("5\r\n", "x\r\n")],
    ["a size beyond the bound", WHOLE.replace("5\r\n", "ffffffff\r\n")],
    ["a frame longer than its size", WHOLE.replace("5\r\n", "4\r\n")],
    ["bytes after the end", `${WHOLE}more\r\n`],
  ] as const) {
    test(`are refused for ${fault}`, async () => {
      await assert.rejects(decode(text), BodyMismatch);
    });
  }
});
