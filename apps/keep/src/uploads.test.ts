// Uploads in parts: what they add up to, what is checked, whose they are, and how many there may be.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { KeepConnection } from "@holdfast/channel";
import type { KeepClient } from "@holdfast/contract";
import { fromText, readBody, toBase64, toText } from "@holdfast/core";
import { refused } from "./testing/refused.ts";
import { startTestKeep, type TestKeep } from "./testing/test-keep.ts";
import { READ, WRITE } from "./testing/test-policy.ts";
import { jsonOf, open, patch, textAt } from "./testing/upload-calls.ts";

const PINNED = fromText("pinned content");
const MINUTE = 60_000;

describe("uploads", { timeout: 60_000 }, () => {
  let keep: TestKeep;
  let owner: KeepClient;
  let connection: KeepConnection;
  let other: KeepConnection;

  before(async () => {
    keep = await startTestKeep({
      rights: [{ "/in/": READ | WRITE }, { "/in/": WRITE }],
      fileHashes: { "/in/pinned": createHash("sha256").update(PINNED).digest("hex") },
      maxMemoryMib: 16,
    });
    owner = await keep.client(0);
    connection = await keep.connection(0);
    other = await keep.connection(1);
  });

  after(() => keep.close());

  test("parts add up; nothing is seen before the last", async () => {
    const id = await open(connection, "/in/parts", { "upload-length": "6" });
    assert.equal((await patch(connection, id, 0, "abc", false)).status, 204);
    await refused("FILE_MISSING", owner.readFile("/in/parts"));
    const head = await connection.request({ method: "HEAD", path: `/v1/uploads/${id}` });
    assert.equal(head.headers["upload-offset"], "3");
    assert.equal(head.headers["upload-length"], "6");
    const last = await patch(connection, id, 3, "def", true);
    assert.equal(last.status, 201);
    assert.equal((await jsonOf(last))["size"], 6);
  });

  test("appending in parts", async () => {
    await owner.putFile("/in/log", fromText("before "));
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield fromText("after");
    };
    const stored = await owner.uploadFile("/in/log", source, { size: 5, append: true });
    assert.equal(stored.size, 12);
    assert.equal(
      toText((await readBody((await owner.readFile("/in/log")).body, 99))!),
      "before after",
    );
  });

  test("of appends at once, each lands whole, after those that were there before", async () => {
    await owner.putFile("/in/both", fromText("base "));
    const first = await open(connection, "/in/both", {}, { append: "1" });
    const second = await open(connection, "/in/both", {}, { append: "1" });
    await patch(connection, second, 0, "sec", false);
    assert.equal((await patch(connection, first, 0, "first ", true)).status, 201);
    const last = await patch(connection, second, 3, "ond", true);
    assert.deepEqual(await jsonOf(last), { path: "/in/both", size: 17 });
    assert.equal(await textAt(owner, "/in/both"), "base first second");
  });

  test("appends at once to a large file, and to one that is not there yet", async () => {
    const base = new Uint8Array(randomBytes(1_500_000));
    await owner.putFile("/in/many", base);
    const used = (await owner.status()).storage?.used_bytes ?? 0;
    const parts = Array.from({ length: 5 }, () => new Uint8Array(randomBytes(1_000_003)));
    for (const [path, size] of [
      ["/in/many", base.length],
      ["/in/fresh", 0],
    ] as const) {
      await Promise.all(parts.map((part) => owner.appendFile(path, part)));
      const { body } = await owner.readFile(path);
      const whole = Buffer.from((await readBody(body, 1 << 24))!);
      assert.equal(whole.length, size + 5 * 1_000_003);
      for (const part of parts) assert.ok(whole.includes(part));
    }
    assert.equal((await owner.status()).storage?.used_bytes, used + 10 * 1_000_003);
    await owner.putFile("/in/many", new Uint8Array());
    await owner.putFile("/in/fresh", new Uint8Array());
  });

  test("an append and a file that changed meanwhile", async () => {
    await owner.putFile("/in/turned", fromText("old "));
    const append = await open(connection, "/in/turned", {}, { append: "1" });
    await patch(connection, append, 0, "and ", false);
    await owner.putFile("/in/turned", fromText("new "));
    assert.equal((await patch(connection, append, 4, "more", true)).status, 201);
    assert.equal(await textAt(owner, "/in/turned"), "new and more");
  });

  test("a complete upload says so, to its owner, for a while, and takes nothing more", async () => {
    const id = await open(connection, "/in/done", { "upload-length": "3" });
    assert.equal((await patch(connection, id, 0, "abc", true)).status, 201);
    const path = `/v1/uploads/${id}`;
    const head = await connection.request({ method: "HEAD", path });
    assert.equal(head.headers["upload-complete"], "?1");
    assert.equal(head.headers["upload-offset"], "3");
    assert.equal(
      (await jsonOf(await patch(connection, id, 0, "abc", true)))["code"],
      "UPLOAD_OFFSET",
    );
    assert.equal(
      (await jsonOf(await patch(connection, id, 3, "d", true)))["code"],
      "UPLOAD_LENGTH",
    );
    assert.equal((await jsonOf(await patch(connection, id, 3, "", true)))["size"], 3);
    assert.equal((await other.request({ method: "HEAD", path })).status, 404);
    keep.clock.advance(20 * MINUTE);
    assert.equal((await connection.request({ method: "HEAD", path })).status, 404);
  });

  test("only so many complete uploads are remembered, the newest", async () => {
    const ids = [];
    for (let turn = 0; turn < 20; turn += 1) {
      const id = await open(connection, "/in/again");
      assert.equal((await patch(connection, id, 0, "abc", true)).status, 201);
      ids.push(id);
    }
    const known = [];
    for (const id of ids) {
      const head = await connection.request({ method: "HEAD", path: `/v1/uploads/${id}` });
      known.push(head.status === 204);
    }
    assert.deepEqual(known, [...Array(4).fill(false), ...Array(16).fill(true)]);
  });

  test("whoever starts a file again replaces what was abandoned of it", async () => {
    const used = (await owner.status()).storage?.used_bytes;
    for (let turn = 0; turn < 20; turn += 1) {
      const id = await open(connection, "/in/abandoned");
      await patch(connection, id, 0, "x".repeat(100_000), false);
    }
    const appends = [];
    for (let turn = 0; turn < 20; turn += 1) {
      appends.push(await open(connection, "/in/log", {}, { append: "1" }));
    }
    const last = await patch(connection, appends.at(-1) ?? "", 0, "x", true);
    assert.equal(last.status, 201);
    const first = await patch(connection, appends[0] ?? "", 0, "x", true);
    assert.equal(first.status, 404);
    const grown = ((await owner.status()).storage?.used_bytes ?? 0) - (used ?? 0);
    assert.ok(grown < 200_000, `${grown}`);
    keep.clock.advance(20 * MINUTE);
    keep.keep.sweep();
  });

  test("a part at another offset is refused, and the right one told", async () => {
    const id = await open(connection, "/in/offset");
    await patch(connection, id, 0, "abc", false);
    for (const offset of [0, 2, 4]) {
      const answer = await patch(connection, id, offset, "x", false);
      assert.equal(answer.status, 409);
      assert.equal(answer.headers["upload-offset"], "3");
      assert.equal((await jsonOf(answer))["code"], "UPLOAD_OFFSET");
    }
  });

  test("more or less than was announced is refused", async () => {
    const more = await open(connection, "/in/more", { "upload-length": "2" });
    assert.equal(
      (await jsonOf(await patch(connection, more, 0, "abc", true)))["code"],
      "UPLOAD_LENGTH",
    );
    const less = await open(connection, "/in/less", { "upload-length": "9" });
    assert.equal(
      (await jsonOf(await patch(connection, less, 0, "abc", true)))["code"],
      "UPLOAD_LENGTH",
    );
    await refused("FILE_MISSING", owner.readFile("/in/less"));
  });

  test("the digest of the whole is checked at the end, and so is the pin", async () => {
    const digest = `sha-256=:${toBase64(new Uint8Array(32))}:`;
    const wrong = await open(connection, "/in/wrong", { "repr-digest": digest });
    await patch(connection, wrong, 0, "abc", false);
    assert.equal(
      (await jsonOf(await patch(connection, wrong, 3, "", true)))["code"],
      "DIGEST_MISMATCH",
    );
    await refused("FILE_MISSING", owner.readFile("/in/wrong"));
    const pinned = await open(connection, "/in/./pinned");
    await patch(connection, pinned, 0, "pinned ", false);
    const refusal = await patch(connection, pinned, 7, "forgery", true);
    assert.equal((await jsonOf(refusal))["code"], "FILE_PIN_MISMATCH");
    await refused("FILE_MISSING", owner.readFile("/in/pinned"));
  });

  test("an upload is its owner's", async () => {
    const id = await open(connection, "/in/mine");
    assert.equal((await patch(other, id, 0, "abc", true)).status, 404);
    assert.equal(
      (await other.request({ method: "DELETE", path: `/v1/uploads/${id}` })).status,
      404,
    );
    assert.equal((await other.request({ method: "HEAD", path: `/v1/uploads/${id}` })).status, 404);
    const dropped = await connection.request({ method: "DELETE", path: `/v1/uploads/${id}` });
    assert.equal(dropped.status, 204);
    assert.equal((await patch(connection, id, 0, "abc", true)).status, 404);
  });

  test("rights and names are checked before anything comes in", async () => {
    const codes = [];
    for (const path of ["/out/x", "/in/../out/x", "stdin", "/"]) {
      const answer = await connection.request({
        method: "POST",
        path: "/v1/uploads",
        query: { path },
      });
      codes.push((await jsonOf(answer))["code"]);
    }
    assert.deepEqual(codes, [
      "RIGHTS_MISSING",
      "REQUEST_INVALID",
      "RIGHTS_MISSING",
      "RIGHTS_MISSING",
    ]);
  });

  test("nobody fills the keep with uploads that never end", async () => {
    keep.clock.advance(20 * MINUTE);
    keep.keep.sweep();
    const used = (await owner.status()).storage?.used_bytes;
    const ids = [];
    for (let i = 0; i < 8; i += 1) ids.push(await open(other, `/in/${i}`));
    await patch(other, ids[0]!, 0, "x".repeat(100_000), false);
    const ninth = await other.request({
      method: "POST",
      path: "/v1/uploads",
      query: { path: "/in/9" },
    });
    assert.equal((await jsonOf(ninth))["code"], "REQUEST_LIMIT");
    assert.notEqual((await owner.status()).storage?.used_bytes, used);
    keep.clock.advance(20 * MINUTE);
    keep.keep.sweep();
    assert.equal((await owner.status()).storage?.used_bytes, used);
    assert.equal((await patch(other, ids[0]!, 100_000, "x", true)).status, 404);
  });
});
