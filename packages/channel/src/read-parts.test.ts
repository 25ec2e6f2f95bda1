import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { concat } from "@holdfast/core";
import { readParts } from "./read-parts.ts";

test("gives all parts in order", async () => {
  const stream = new PassThrough();
  const parts = readParts(stream);
  const first = parts.next();
  stream.write("a");
  assert.deepEqual([...((await first).value ?? [])], [97]);
  for (const part of ["b", "c", "d"]) stream.write(part);
  stream.end("e");
  await turn();
  const rest: Uint8Array[] = [];
  for await (const part of parts) rest.push(part);
  assert.equal(Buffer.from(concat(...rest)).toString(), "bcde");
});

test("a stream that breaks off is an error, after the bytes that came", async () => {
  const stream = new PassThrough();
  const parts = readParts(stream);
  const first = parts.next();
  stream.write("part");
  assert.equal((await first).value?.length, 4);
  stream.destroy();
  await assert.rejects(parts.next(), /broke off/);
  const failing = Readable.from(
    (async function* () {
      yield Buffer.from("x");
      throw new Error("the line is cut");
    })(),
  );
  await assert.rejects(async () => {
    for await (const _ of readParts(failing));
  }, /the line is cut/);
});

test("a slow reader makes the stream wait", async () => {
  let asked = 0;
  const stream = new Readable({
    read() {
      asked += 1;
      this.push(Buffer.alloc(256 * 1024));
    },
  });
  const parts = readParts(stream);
  await parts.next();
  for (let i = 0; i < 50; i += 1) await turn();
  assert.ok(asked < 40, String(asked));
  await parts.return(undefined);
  assert.equal(stream.destroyed, true);
});

test("a stream that has ended, failed or gone before its reader came", {
  timeout: 10_000,
}, async () => {
  const ended = Readable.from([]);
  ended.resume();
  await once(ended, "close");
  for await (const _ of readParts(ended)) assert.fail("nothing is left");

  const gone = new Readable({ read: () => undefined });
  gone.destroy();
  await once(gone, "close");
  await assert.rejects(async () => {
    for await (const _ of readParts(gone));
  }, /broke off/);

  const failed = new Readable({ read: () => undefined });
  failed.on("error", () => undefined).destroy(new Error("a fault"));
  await new Promise((resolve) => failed.once("close", resolve));
  await assert.rejects(async () => {
    for await (const _ of readParts(failed));
  }, /a fault/);
});
