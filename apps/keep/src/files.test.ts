// Files through the door: what identities put in, append, read in part or whole, and list.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { KeepClient } from "@holdfast/contract";
import { concat, fromText, readBody, toText } from "@holdfast/core";
import { refused } from "./testing/refused.ts";
import { startTestKeep, type TestKeep } from "./testing/test-keep.ts";
import { EXECUTE, READ, WRITE } from "./testing/test-policy.ts";

const PINNED = fromText("the one content that is allowed here");
const PIN = createHash("sha256").update(PINNED).digest("hex");

describe("files", () => {
  let keep: TestKeep;
  let owner: KeepClient;
  let reader: KeepClient;

  before(async () => {
    keep = await startTestKeep({
      rights: [
        { "/in/": READ | WRITE, "/program/": WRITE, "/program/run.wasm": EXECUTE },
        { "/in/public/": READ, "/out/": READ },
      ],
      fileHashes: { "/program/model.bin": PIN },
      maxMemoryMib: 8,
    });
    owner = await keep.client(0);
    reader = await keep.client(1);
  });

  after(() => keep.close());

  test("a file comes back as it was put in", async () => {
    const bytes = new Uint8Array(randomBytes(3_000_000));
    const sha256 = new Uint8Array(createHash("sha256").update(bytes).digest());
    const stored = await owner.putFile("/in/a/large.bin", bytes, { sha256 });
    assert.equal(stored.path, "/in/a/large.bin");
    assert.equal(stored.size, bytes.length);
    assert.equal(stored.sha256, Buffer.from(sha256).toString("hex"));
    assert.deepEqual(await readAll(owner, "/in/a/large.bin"), bytes);
  });

  test("an empty file is a file", async () => {
    await owner.putFile("/in/empty", new Uint8Array());
    const { size, body } = await owner.readFile("/in/empty");
    assert.equal(size, 0);
    assert.equal((await readBody(body, 10))?.length, 0);
  });

  test("a file that comes in chunks of unknown number", async () => {
    const parts = [fromText("one "), fromText("two "), fromText("three")];
    const source = (async function* () {
      yield* parts;
    })();
    assert.equal((await owner.putFile("/in/chunks", source)).size, 13);
    assert.deepEqual(await readAll(owner, "/in/chunks"), concat(...parts));
  });

  test("appending adds at the end", async () => {
    await owner.putFile("/in/log", fromText("first\n"));
    await owner.appendFile("/in/log", fromText("second\n"));
    assert.equal(toText(await readAll(owner, "/in/log")), "first\nsecond\n");
  });

  test("ranges, first, middle and last bytes", async () => {
    await owner.putFile("/in/digits", fromText("0123456789"));
    const part = async (range: string): Promise<string> =>
      toText((await readBody((await owner.readFile("/in/digits", { range })).body, 100))!);
    assert.equal(await part("bytes=0-3"), "0123");
    assert.equal(await part("bytes=4-"), "456789");
    assert.equal(await part("bytes=-2"), "89");
    assert.equal(await part("bytes=8-200"), "89");
    assert.equal(await part("lines=1-2"), "0123456789");
    await refused("FILE_RANGE", owner.readFile("/in/digits", { range: "bytes=10-" }));
  });

  test("listing says names, kinds and sizes", async () => {
    await owner.putFile("/in/dir/x", fromText("x"));
    await owner.putFile("/in/dir/sub/y", fromText("yy"));
    assert.deepEqual((await owner.list("/in/dir")).entries, [
      { name: "sub", kind: "directory", size: 0 },
      { name: "x", kind: "file", size: 1 },
    ]);
    assert.deepEqual((await reader.list("/out")).entries, []);
  });

  test("rights: nobody reads, writes or lists beyond them", async () => {
    await owner.putFile("/in/secret", fromText("secret"));
    await refused("RIGHTS_MISSING", reader.readFile("/in/secret"));
    await refused("RIGHTS_MISSING", reader.putFile("/in/secret", fromText("x")));
    await refused("RIGHTS_MISSING", reader.appendFile("/in/secret", fromText("x")));
    await refused("RIGHTS_MISSING", reader.list("/in"));
    await refused("RIGHTS_MISSING", owner.list("/"));
    await refused("RIGHTS_MISSING", reader.readFile("/nowhere"));
    await refused("RIGHTS_MISSING", owner.readFile("/program/model.bin"));
    assert.equal(toText(await readAll(owner, "/in/secret")), "secret");
  });

  test("a path with .. is refused, for writing as for reading", async () => {
    for (const path of ["/in/../program/run.wasm", "/in/public/../secret", "/in/..", "/../in/x"]) {
      await refused("REQUEST_INVALID", owner.putFile(path, fromText("x")), /PATH_ESCAPE/);
      await refused("REQUEST_INVALID", owner.appendFile(path, fromText("x")), /PATH_ESCAPE/);
      await refused("REQUEST_INVALID", reader.readFile(path), /PATH_ESCAPE/);
      await refused("REQUEST_INVALID", reader.list(path), /PATH_ESCAPE/);
    }
  });

  test("paths that are not paths are refused", async () => {
    for (const path of ["in/x", "", "/in/\u0000", "/in/\n", `/in/${"x".repeat(300)}`]) {
      await refused("REQUEST_INVALID", owner.putFile(path, fromText("x")));
    }
  });

  test("a pin holds for every spelling of its path", async () => {
    for (const path of ["/program/model.bin", "//program//model.bin", "/program/./model.bin"]) {
      await refused("FILE_PIN_MISMATCH", owner.putFile(path, fromText("another content")));
      await refused("FILE_PINNED", owner.appendFile(path, fromText("x")));
    }
    assert.equal((await owner.putFile("/program/./model.bin", PINNED)).path, "/program/model.bin");
    await refused("FILE_PIN_MISMATCH", owner.putFile("/program/model.bin", fromText("other")));
    await refused("FILE_PINNED", owner.appendFile("/program/model.bin", new Uint8Array()));
  });

  test("a digest that does not fit leaves nothing behind", async () => {
    const sha256 = new Uint8Array(32);
    await refused("DIGEST_MISMATCH", owner.putFile("/in/wrong", fromText("x"), { sha256 }));
    await refused("FILE_MISSING", owner.readFile("/in/wrong"));
  });

  test("a file can't be a directory, nor a directory a file", async () => {
    await owner.putFile("/in/plain", fromText("x"));
    await refused("FILE_KIND", owner.putFile("/in/plain/below", fromText("x")));
    await owner.putFile("/in/folder/x", fromText("x"));
    await refused("FILE_KIND", owner.putFile("/in/folder", fromText("x")));
    await refused("FILE_KIND", owner.readFile("/in/folder"));
  });

  test("more than the policy's storage is refused, announced or not, and leaves nothing", async () => {
    const chunk = new Uint8Array(1024 * 1024);
    const endless = async function* () {
      for (;;) yield chunk;
    };
    await refused("STORAGE_FULL", owner.putFile("/in/endless", endless()));
    await refused("FILE_MISSING", owner.readFile("/in/endless"));
    await refused("STORAGE_FULL", owner.putFile("/in/huge", endless(), { size: 2 ** 40 }));
    assert.equal((await owner.putFile("/in/small", fromText("fits"))).size, 4);
  });

  test("streams that are not there yet are missing, and can't be written", async () => {
    await refused("RIGHTS_MISSING", owner.readFile("stdout"));
    await refused("RIGHTS_MISSING", owner.putFile("stdout", fromText("x")));
  });
});

async function readAll(client: KeepClient, path: string): Promise<Uint8Array> {
  const { body } = await client.readFile(path);
  return (await readBody(body, 64 * 1024 * 1024))!;
}
