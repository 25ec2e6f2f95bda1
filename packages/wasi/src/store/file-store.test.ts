// The store: nothing half-written is seen, nothing shared is changed, bounds hold.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fixedClock } from "@holdfast/core";
import fc from "fast-check";
import { CHUNK_BYTES, contentBytes, contentSha256, contentViews } from "./content.ts";
import { FileStore } from "./file-store.ts";
import type { StoredNode } from "./snapshot.ts";

const now = new Date("2026-05-06T07:08:09Z");

function store(maximumBytes = 64 * 1024 * 1024): FileStore {
  return new FileStore({ maximumBytes, maximumEntries: 8, clock: fixedClock(now) });
}

function put(files: FileStore, path: string, text: string): void {
  const writer = files.openWrite(path);
  writer.write(Buffer.from(text));
  writer.commit();
}

function text(files: FileStore, path: string): string {
  return Buffer.concat([...files.read(path)]).toString();
}

function file(path: string, content: string): StoredNode {
  const source = store();
  put(source, "/x", content);
  return { kind: "file", path, content: source.content("/x"), accessed: 0n, modified: 0n };
}

describe("writing", () => {
  it("shows a file only when it is committed, with the directories above", () => {
    const files = store();
    const writer = files.openWrite("/a/b/f");
    writer.write(Buffer.from("abc"));
    assert.equal(files.stat("/a"), undefined);
    assert.equal(files.usedBytes, 3, "what is being written counts");
    writer.commit();
    assert.deepEqual(files.stat("/a/b/f"), {
      path: "/a/b/f",
      kind: "file",
      size: 3,
      modified: now,
    });
    assert.deepEqual(
      files.list("/a").map(({ path, kind }) => [path, kind]),
      [["/a/b", "directory"]],
    );
    assert.equal(files.usedBytes, 3);
    assert.throws(() => writer.write(Buffer.from("x")), { code: "STORE_CLOSED" });
    assert.throws(() => writer.commit(), { code: "STORE_CLOSED" });
  });

  it("leaves nothing when it is aborted", () => {
    const files = store();
    put(files, "/f", "old");
    const writer = files.openWrite("/f");
    writer.write(Buffer.from("newer"));
    writer.abort();
    writer.abort();
    assert.equal(text(files, "/f"), "old");
    assert.equal(files.usedBytes, 3);
  });

  it("replaces for whoever comes, not for whoever reads", () => {
    const files = store();
    put(files, "/f", "first");
    const reading = files.read("/f");
    const snapshot = files.snapshot();
    put(files, "/f", "second version");
    assert.equal(Buffer.concat([...reading]).toString(), "first");
    const [node] = snapshot.nodes;
    assert.equal(
      node?.kind === "file" && Buffer.from(contentBytes(node.content)).toString(),
      "first",
    );
    assert.equal(text(files, "/f"), "second version");
  });

  it("appends beside what is there, sharing all full pieces", () => {
    const files = store();
    const writer = files.openWrite("/f");
    writer.write(Buffer.alloc(2 * CHUNK_BYTES + 10, 1));
    writer.commit();
    const before = files.content("/f");
    const appender = files.openWrite("/f", { append: true });
    assert.equal(appender.size, 2 * CHUNK_BYTES + 10);
    appender.write(Buffer.from("tail"));
    assert.equal(files.content("/f").size, before.size);
    appender.commit();
    const after = files.content("/f");
    assert.equal(after.size, before.size + 4);
    assert.equal(after.chunks[0], before.chunks[0]);
    assert.equal(after.chunks[1], before.chunks[1]);
    assert.equal(Buffer.from(contentBytes(after).subarray(-5)).toString(), "\u0001tail");
    assert.equal(contentBytes(before).length, 2 * CHUNK_BYTES + 10);
  });

  it("holds any pieces in any order of sizes", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(70_000), { maxLength: 40 }), (sizes) => {
        const files = store();
        const writer = files.openWrite("/f");
        const pieces = sizes.map((size, index) => Buffer.alloc(size, index + 1));
        for (const piece of pieces) writer.write(piece);
        writer.commit();
        const whole = Buffer.concat(pieces);
        assert.ok(whole.equals(contentBytes(files.content("/f"))));
      }),
      { numRuns: 30 },
    );
  });

  it("gives ranges, cut to the file", () => {
    const files = store();
    const writer = files.openWrite("/f");
    writer.write(Buffer.alloc(CHUNK_BYTES - 2, "a"));
    writer.write(Buffer.from("bcdef"));
    writer.commit();
    const range = (start: number, end: number): string => {
      return Buffer.concat([...files.read("/f", { start, end })]).toString();
    };
    assert.equal(range(CHUNK_BYTES - 3, CHUNK_BYTES + 1), "abcd");
    assert.equal(range(CHUNK_BYTES + 1, 2 ** 40), "ef");
    assert.equal(range(5, 5), "");
    assert.equal(range(-5, 2), "aa");
    assert.equal(range(2 ** 40, 2 ** 41), "");
  });
});

describe("bounds", () => {
  it("hold for bytes, those being written included", () => {
    const files = store(10);
    const first = files.openWrite("/a");
    first.write(Buffer.alloc(6));
    const second = files.openWrite("/b");
    assert.throws(() => second.write(Buffer.alloc(5)), { code: "STORE_FULL" });
    first.abort();
    second.write(Buffer.alloc(10));
    second.commit();
    assert.throws(() => put(files, "/c", "x"), { code: "STORE_FULL" });
    files.remove("/b");
    put(files, "/c", "0123456789");
    assert.throws(
      () => put(files, "/c", "x"),
      { code: "STORE_FULL" },
      "old and new stand side by side",
    );
  });

  it("hold for entries, and a refused write leaves no directory behind", () => {
    const files = store();
    assert.throws(() => put(files, "/1/2/3/4/5/6/7/f", "x"), { code: "STORE_FULL" });
    assert.equal(files.stat("/1"), undefined);
    assert.equal(files.usedBytes, 0);
    put(files, "/1/2/3/f", "x");
  });
});

describe("kinds", () => {
  it("are not mixed up", () => {
    const files = store();
    put(files, "/d/f", "x");
    assert.throws(() => files.openWrite("/d"), { code: "STORE_NOT_A_FILE" });
    assert.throws(() => files.read("/d"), { code: "STORE_NOT_A_FILE" });
    assert.throws(() => files.read("/none"), { code: "STORE_NOT_FOUND" });
    assert.throws(() => files.list("/d/f"), { code: "STORE_NOT_A_DIRECTORY" });
    assert.throws(() => files.list("/none"), { code: "STORE_NOT_FOUND" });
    assert.throws(() => files.remove("/d"), { code: "STORE_NOT_EMPTY" });
    assert.throws(() => files.remove("/"), { code: "STORE_NOT_EMPTY" });
    assert.throws(() => put(files, "/d/f/g", "x"), { code: "STORE_CONFLICT" });
    assert.throws(() => files.makeDirectory("/d/f"), { code: "STORE_CONFLICT" });
    assert.throws(() => files.stat("stdout"), { code: "STORE_NOT_A_FILE" });
    assert.equal(text(files, "/d/f"), "x");
  });

  it("links are not followed, at the end or on the way", () => {
    const files = store();
    put(files, "/secret/key", "key");
    const link = { kind: "symlink", accessed: 0n, modified: 0n } as const;
    files.apply({
      removed: [],
      written: [
        { ...link, path: "/key", target: "secret/key" },
        { ...link, path: "/way", target: "secret" },
      ],
    });
    assert.throws(() => files.read("/key"), { code: "STORE_NOT_A_FILE" });
    assert.throws(() => files.read("/way/key"), { code: "STORE_NOT_FOUND" });
    assert.throws(() => put(files, "/way/key", "x"), { code: "STORE_CONFLICT" });
    put(files, "/key", "own");
    assert.equal(text(files, "/secret/key"), "key", "a write replaces the link");
  });
});

describe("applying changes", () => {
  it("removes, writes and makes directories, all at once", () => {
    const files = store();
    put(files, "/old/f", "f");
    put(files, "/kept", "k");
    files.apply({
      removed: ["/old", "/old/f"],
      written: [file("/new/deep/g", "g"), file("/kept", "changed")],
    });
    assert.equal(files.stat("/old"), undefined);
    assert.equal(text(files, "/new/deep/g"), "g");
    assert.equal(text(files, "/kept"), "changed");
    assert.equal(files.usedBytes, 8);
  });

  it("does nothing at all when one of them can't be", () => {
    const files = store(100);
    put(files, "/d/f", "f");
    put(files, "/a", "a");
    const attempts = [
      { code: "STORE_CONFLICT", written: [file("/x", "x"), file("/d", "not a directory")] },
      { code: "STORE_CONFLICT", written: [file("/x", "x"), file("/d/f/b", "below a file")] },
      { code: "STORE_FULL", written: [file("/x", "x"), file("/y", "y".repeat(100))] },
      { code: "PATH_ESCAPE", written: [file("/x", "x"), file("/../y", "y")] },
      { code: "STORE_CONFLICT", written: [file("/x", "x"), file("//y", "y")] },
    ];
    for (const { code, written } of attempts) {
      assert.throws(() => files.apply({ removed: ["/a"], written }), { code });
      assert.equal(text(files, "/a"), "a");
      assert.deepEqual(
        files.list("/").map(({ path }) => path),
        ["/a", "/d"],
      );
      assert.equal(files.usedBytes, 2);
    }
  });

  it("keeps what came meanwhile: a directory that someone filled stays, the last to write wins", () => {
    const files = store();
    put(files, "/d/f", "f");
    put(files, "/d/late", "late");
    files.apply({ removed: ["/d/f", "/d", "/gone"], written: [] });
    assert.equal(text(files, "/d/late"), "late");
    assert.equal(files.stat("/d/f"), undefined);
  });
});

it("content is hashed piece by piece, holes as zeros", () => {
  const content = { size: CHUNK_BYTES + 3, chunks: [null, null] };
  assert.equal(
    contentSha256(content),
    contentSha256({
      size: CHUNK_BYTES + 3,
      chunks: [new SharedArrayBuffer(CHUNK_BYTES), new SharedArrayBuffer(3)],
    }),
  );
  assert.equal(
    [...contentViews(content)].reduce((sum, view) => sum + view.length, 0),
    CHUNK_BYTES + 3,
  );
});
