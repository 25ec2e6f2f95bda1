// Runs with host directories: what is read in, what comes back, and what never leaves.
import assert from "node:assert/strict";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { RIGHTS } from "@holdfast/policy";
import { createSourceWorker } from "../run/runner.ts";
import type { Changes, StoredNode } from "../store/snapshot.ts";
import { assemble, program } from "../testing/modules.ts";
import { loadDirectories } from "./load.ts";
import { nodeFiles } from "./node-files.ts";
import { runOffline } from "./run-offline.ts";
import { writeBack } from "./write-back.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "holdfast-offline-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const LIMITS = { bytes: 1 << 20, entries: 100 };
const TIMES = { accessed: 0n, modified: 0n };

function file(path: string, text: string): StoredNode {
  const chunk = new SharedArrayBuffer(text.length);
  new Uint8Array(chunk).set(Buffer.from(text));
  return { kind: "file", path, content: { size: text.length, chunks: [chunk] }, ...TIMES };
}

function back(changes: Partial<Changes>, guest = "/data") {
  return writeBack(nodeFiles, [{ host: directory, guest }], {
    removed: [],
    written: [],
    ...changes,
  });
}

describe("reading host directories", () => {
  it("takes files, directories and links, and leaves out what the store can't spell", async () => {
    mkdirSync(join(directory, "sub"));
    writeFileSync(join(directory, "sub/f"), "text");
    writeFileSync(join(directory, "new\nline"), "");
    symlinkSync("sub/f", join(directory, "link"));
    const { snapshot, skipped } = await loadDirectories(
      nodeFiles,
      [{ host: directory, guest: "data" }],
      LIMITS,
    );
    assert.deepEqual(
      snapshot.nodes.map(({ kind, path }) => `${kind} ${path}`),
      ["directory /data", "symlink /data/link", "directory /data/sub", "file /data/sub/f"],
    );
    assert.deepEqual(skipped, [join(directory, "new\nline")]);
  });

  it("is bounded", async () => {
    writeFileSync(join(directory, "f"), "0123456789");
    const load = (limits: typeof LIMITS) =>
      loadDirectories(nodeFiles, [{ host: directory, guest: "/" }], limits);
    await assert.rejects(load({ bytes: 9, entries: 100 }), { code: "OFFLINE_DIRECTORY" });
    await assert.rejects(load({ bytes: 100, entries: 0 }), { code: "OFFLINE_DIRECTORY" });
    await assert.rejects(
      loadDirectories(nodeFiles, [{ host: join(directory, "none"), guest: "/" }], LIMITS),
      { code: "OFFLINE_DIRECTORY" },
    );
    await assert.rejects(
      loadDirectories(nodeFiles, [{ host: directory, guest: "/a/../b" }], LIMITS),
      { code: "OFFLINE_DIRECTORY" },
    );
  });
});

describe("writing back", () => {
  it("writes, makes and removes inside the directory", async () => {
    mkdirSync(join(directory, "old"));
    writeFileSync(join(directory, "old/f"), "old");
    writeFileSync(join(directory, "kept"), "kept");
    const { written, removed } = await back({
      removed: ["/data/old", "/data/old/f"],
      written: [
        { kind: "directory", path: "/data/d", ...TIMES },
        file("/data/d/f", "new"),
        { kind: "symlink", path: "/data/d/l", target: "f", ...TIMES },
      ],
    });
    assert.equal(readFileSync(join(directory, "d/f"), "utf8"), "new");
    assert.equal(readlinkSync(join(directory, "d/l")), "f");
    assert.deepEqual(readdirSync(directory).sort(), ["d", "kept"]);
    assert.deepEqual([written.length, removed.length], [3, 2]);
  });

  it("makes no link that leads out, and touches nothing outside", async () => {
    const { skipped } = await back({
      removed: ["/other/f"],
      written: [
        { kind: "symlink", path: "/data/absolute", target: "/etc/passwd", ...TIMES },
        { kind: "symlink", path: "/data/up", target: "../x", ...TIMES },
        { kind: "symlink", path: "/data/sly", target: "a/../../x", ...TIMES },
        file("/database", "a neighbour whose name begins alike"),
        file("/other/f", "elsewhere"),
      ],
    });
    assert.equal(skipped.length, 5);
    assert.deepEqual(readdirSync(directory), []);
  });

  it("replaces a link instead of writing through it", async () => {
    const outside = mkdtempSync(join(tmpdir(), "holdfast-outside-"));
    try {
      writeFileSync(join(outside, "f"), "untouched");
      symlinkSync(join(outside, "f"), join(directory, "f"));
      await back({ written: [file("/data/f", "own")] });
      assert.equal(readFileSync(join(outside, "f"), "utf8"), "untouched");
      assert.equal(lstatSync(join(directory, "f")).isSymbolicLink(), false);
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it("keeps permissions of what it replaces, and leaves no temporary file behind when it fails", async () => {
    writeFileSync(join(directory, "f"), "old", { mode: 0o640 });
    await back({ written: [file("/data/f", "new")] });
    assert.equal(lstatSync(join(directory, "f")).mode & 0o777, 0o640);
    mkdirSync(join(directory, "d/in-the-way"), { recursive: true });
    await assert.rejects(back({ written: [file("/data/d", "not a directory")] }));
    assert.deepEqual(readdirSync(directory).sort(), ["d", "f"]);
  });
});

describe("a whole run", () => {
  const OPEN = `(import "wasi_snapshot_preview1" "path_open" (func $path_open
    (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))`;
  const WRITE = `
    (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 9)
      (i64.const 0x40) (i64.const 0) (i32.const 0) (i32.const 128)))
    (drop (call $fd_write (i32.load (i32.const 128)) (i32.const 0) (i32.const 1) (i32.const 32)))`;
  const writer = (body: string): Promise<Uint8Array> =>
    assemble(program(body, `(data (i32.const 64) "file")`).replace("(memory", `${OPEN} (memory`));

  async function offline(body: string, more: Partial<Parameters<typeof runOffline>[0]> = {}) {
    return runOffline({
      program: await writer(body),
      directories: [{ host: directory, guest: "work" }],
      arguments: ["program"],
      environment: {},
      clock: "system",
      random: "system",
      files: nodeFiles,
      createWorker: createSourceWorker,
      ...more,
    });
  }

  it("that exits has its files written back", async () => {
    const { outcome, back } = await offline(`${WRITE} (call $proc_exit (i32.const 5))`);
    assert.deepEqual([outcome.state, outcome.exitCode], ["exited", 5]);
    assert.equal(readFileSync(join(directory, "file"), "utf8"), "hello\n");
    assert.deepEqual(back.written, [join(directory, "file")]);
  });

  it("that traps has not", async () => {
    const { outcome } = await offline(`${WRITE} unreachable`);
    assert.equal(outcome.state, "trapped");
    assert.deepEqual(readdirSync(directory), []);
  });

  it("with rights has only those", async () => {
    await offline(WRITE, { rights: new Map([["/work", RIGHTS.path_open]]) });
    assert.deepEqual(readdirSync(directory), []);
  });

  it("with its time and randomness given computes the same bits everywhere, and sees no other times", async () => {
    writeFileSync(join(directory, "input"), "");
    // The bits of a NaN that is made as it runs, and when a file of the host was modified.
    const body = `
      (f32.store (i32.const 200) (f32.div (f32.load (i32.const 300)) (f32.load (i32.const 300))))
      (drop (call $stat (i32.const 3) (i32.const 0) (i32.const 80) (i32.const 5) (i32.const 400)))
      (i64.store (i32.const 204) (i64.load (i32.const 448)))
      (i32.store (i32.const 0) (i32.const 200)) (i32.store (i32.const 4) (i32.const 12))
      (call $say)`;
    const bytes = await assemble(
      program(body, `(data (i32.const 80) "input")`).replace(
        "(memory",
        `(import "wasi_snapshot_preview1" "path_filestat_get"
          (func $stat (param i32 i32 i32 i32 i32) (result i32))) (memory`,
      ),
    );
    const fixed = new Date("2026-01-02T03:04:05Z");
    const said: Uint8Array[] = [];
    const { deterministic } = await offline("", {
      program: bytes,
      clock: { fixed },
      random: { seed: Uint8Array.of(1) },
      onOutput: (_stream, part) => said.push(part),
    });
    assert.equal(deterministic, true);
    const view = new DataView(Uint8Array.from(Buffer.concat(said)).buffer);
    assert.equal(view.getUint32(0, true).toString(16), "7fc00000");
    assert.equal(view.getBigUint64(4, true), BigInt(fixed.getTime()) * 1_000_000n);
    assert.equal((await offline("", { clock: { fixed } })).deterministic, false);
    assert.equal((await offline("", { random: { seed: Uint8Array.of(1) } })).deterministic, false);
  });

  it("is cancelled by its signal", async () => {
    const { outcome } = await offline(`${WRITE} (loop $again (br $again))`, {
      signal: AbortSignal.timeout(50),
    });
    assert.equal(outcome.state, "cancelled");
    assert.deepEqual(readdirSync(directory), []);
  });
});
