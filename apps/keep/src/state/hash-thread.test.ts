import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { concat } from "@holdfast/core";
import { CHUNK_BYTES, type Content, contentBytes, FileStore } from "@holdfast/wasi";
import { HashThread, pieces, SMALL_BYTES } from "./hash-thread.ts";

const thread = new HashThread();
after(() => thread.close());

test("small and large contents, with pieces that are not full", async () => {
  for (const size of [0, 1, CHUNK_BYTES, SMALL_BYTES + 1, 5 * CHUNK_BYTES + 12_345]) {
    const bytes = new Uint8Array(randomBytes(size));
    const content = stored(bytes);
    assert.equal(await thread.digestOf(content), sha256(bytes), String(size));
  }
});

test("holes read as zeros", async () => {
  const piece = new SharedArrayBuffer(CHUNK_BYTES);
  new Uint8Array(piece).fill(7);
  const short = new SharedArrayBuffer(1000);
  const content: Content = { size: 4 * CHUNK_BYTES - 5, chunks: [piece, null, short, null] };
  assert.equal(await thread.digestOf(content), sha256(contentBytes(content)));
});

test("pieces from an offset are the bytes from there", () => {
  const bytes = new Uint8Array(randomBytes(2 * CHUNK_BYTES + 99));
  for (const from of [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, 2 * CHUNK_BYTES + 98, bytes.length]) {
    const parts = [...pieces(stored(bytes), from)].map(({ piece, start, end }) =>
      new Uint8Array(piece!, start, end - start).slice(),
    );
    assert.equal(Buffer.compare(concat(...parts), bytes.subarray(from)), 0);
  }
});

test("several at once, some of them dropped", async () => {
  const contents = Array.from({ length: 6 }, (_, i) =>
    stored(new Uint8Array(SMALL_BYTES + 1).fill(i)),
  );
  const dropped = thread.begin();
  dropped.update({ piece: contents[0]!.chunks[0]!, start: 0, end: 10 });
  dropped.drop();
  const digests = await Promise.all(contents.map((content) => thread.digestOf(content)));
  assert.deepEqual(
    digests,
    contents.map((content) => sha256(contentBytes(content))),
  );
});

test("a closed thread is started again", async () => {
  const bytes = new Uint8Array(SMALL_BYTES + 5).fill(3);
  await thread.close();
  assert.equal(await thread.digestOf(stored(bytes)), sha256(bytes));
});

function stored(bytes: Uint8Array): Content {
  const store = new FileStore({ maximumBytes: 64 * CHUNK_BYTES });
  const writer = store.openWrite("/x");
  writer.write(bytes);
  writer.commit();
  return store.content("/x");
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
