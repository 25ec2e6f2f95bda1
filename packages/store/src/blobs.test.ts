import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, describe, it } from "node:test";
import { type BlobStore, openBlobStore } from "./blobs.ts";
import type { StoreError } from "./errors.ts";

const directory = mkdtempSync(join(tmpdir(), "holdfast-blobs-"));
after(() => rmSync(directory, { recursive: true, force: true }));

describe("blobs on disk", { concurrency: false }, () => {
  let blobs: BlobStore;

  beforeEach(async () => {
    rmSync(directory, { recursive: true, force: true });
    blobs = await openBlobStore(directory);
  });

  it("gives back what was put, under its SHA-256", async () => {
    const data = new Uint8Array(3_000_000).map((_, index) => index * 31);
    const sha256 = createHash("sha256").update(data).digest("hex");
    const stored = await blobs.put(
      inParts(data, 70_000),
      { maximumBytes: data.length, sha256 },
      keep,
    );
    assert.deepEqual(stored, { sha256, size: data.length });
    assert.deepEqual(await readAll(blobs.read(sha256)), Buffer.from(data));
    assert.deepEqual(
      await readAll(blobs.read(sha256, 2_999_000)),
      Buffer.from(data.subarray(2_999_000)),
    );
    assert.deepEqual(await readAll(blobs.read(sha256, data.length)), Buffer.alloc(0));
    assert.deepEqual(await blobs.list(), [sha256]);
  });

  it("stores the same bytes once", async () => {
    const data = new Uint8Array(100);
    await Promise.all(
      [1, 2, 3].map(() => blobs.put(inParts(data, 10), { maximumBytes: 100 }, keep)),
    );
    assert.equal((await blobs.list()).length, 1);
    assertNothingIncoming();
  });

  it("leaves nothing of bytes that are too many", async () => {
    const put = blobs.put(inParts(new Uint8Array(101), 10), { maximumBytes: 100 }, keep);
    await assert.rejects(put, (thrown: StoreError) => thrown.code === "BLOB_TOO_LARGE");
    assertEmpty();
  });

  it("leaves nothing of bytes with another digest", async () => {
    const sha256 = "ab".repeat(32);
    const put = blobs.put(inParts(new Uint8Array(9), 9), { maximumBytes: 100, sha256 }, keep);
    await assert.rejects(put, (thrown: StoreError) => thrown.code === "BLOB_MISMATCH");
    assertEmpty();
  });

  it("leaves nothing of bytes that break off", async () => {
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(50);
      throw new Error("broken off");
    };
    await assert.rejects(blobs.put(broken(), { maximumBytes: 100 }, keep), /broken off/);
    assertEmpty();
  });

  it("removes at start what an interrupted upload left", async () => {
    writeFileSync(join(directory, "incoming", "left-over"), "half");
    await openBlobStore(directory);
    assertEmpty();
  });

  it("does not collect a blob that is being linked", async () => {
    await blobs.put(inParts(new Uint8Array(9), 9), { maximumBytes: 9 }, async ({ sha256 }) => {
      assert.equal(await blobs.collect(async () => false), 0);
      assert.equal(await blobs.has(sha256), true);
    });
    assert.equal(await blobs.collect(async () => false), 1);
  });

  it("does not collect a blob that was linked while it was asked about", async () => {
    const data = new Uint8Array(9);
    await blobs.put(inParts(data, 9), { maximumBytes: 9 }, keep);
    const gone = await blobs.collect(async () => {
      await blobs.put(inParts(data, 9), { maximumBytes: 9 }, keep);
      return false;
    });
    assert.equal(gone, 0);
    assert.equal((await blobs.list()).length, 1);
  });

  it("says that a blob is not there", async () => {
    const isMissing = (thrown: StoreError): boolean => thrown.code === "BLOB_MISSING";
    await assert.rejects(readAll(blobs.read("ab".repeat(32))), isMissing);
    await assert.rejects(readAll(blobs.read("../../etc/passwd")), isMissing);
  });

  function assertEmpty(): void {
    assert.deepEqual(
      readdirSync(directory).filter((name) => name !== "incoming"),
      [],
    );
    assertNothingIncoming();
  }

  function assertNothingIncoming(): void {
    assert.deepEqual(readdirSync(join(directory, "incoming")), []);
  }
});

async function keep<T>(blob: T): Promise<T> {
  return blob;
}

async function* inParts(data: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

async function readAll(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}
