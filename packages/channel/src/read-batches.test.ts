import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { concat } from "@holdfast/core";
import { readBatches } from "./read-batches.ts";

test("gives all bytes in order, and what came together together", async () => {
  const stream = new PassThrough();
  const batches = readBatches(stream);
  const first = batches.next();
  stream.write("a");
  assert.deepEqual([...((await first).value ?? [])], [97]);
  for (const part of ["b", "c", "d"]) stream.write(part);
  stream.end("e");
  await turn();
  const rest: Uint8Array[] = [];
  for await (const batch of batches) rest.push(batch);
  assert.equal(Buffer.from(concat(...rest)).toString(), "bcde");
  assert.ok(rest.length < 4);
});

test("a stream that breaks off is an error, after the bytes that came", async () => {
  const stream = new PassThrough();
  const batches = readBatches(stream);
  const first = batches.next();
  stream.write("part");
  assert.equal((await first).value?.length, 4);
  stream.destroy();
  await assert.rejects(batches.next(), /broke off/);
  const failing = Readable.from(
    (async function* () {
      yield Buffer.from("x");
      throw new Error("the line is cut");
    })(),
  );
  await assert.rejects(async () => {
    for await (const _ of readBatches(failing));
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
  const batches = readBatches(stream);
  await batches.next();
  for (let i = 0; i < 50; i += 1) await turn();
  assert.ok(asked < 40, String(asked));
  await batches.return(undefined);
  assert.equal(stream.destroyed, true);
});
