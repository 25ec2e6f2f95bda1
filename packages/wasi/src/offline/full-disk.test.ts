// A disk that is really full, when a run's files are to be written back: a small file system in memory, mounted by root.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { StoredNode } from "../store/snapshot.ts";
import { nodeFiles } from "./node-files.ts";
import { writeBack } from "./write-back.ts";

const TIMES = { accessed: 0n, modified: 0n };
const KIB = 1024;

function file(path: string, size: number): StoredNode {
  const chunk = new SharedArrayBuffer(size);
  new Uint8Array(chunk).fill(7);
  return { kind: "file", path, content: { size, chunks: [chunk] }, ...TIMES };
}

function mounted(sizeKib: number): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-full-"));
  const options = ["-t", "tmpfs", "-o", `size=${sizeKib}k`, "tmpfs", directory];
  if (process.getuid?.() === 0 && spawnSync("mount", options).status === 0) return directory;
  rmdirSync(directory);
  return undefined;
}

test("a disk full at write-back leaves the directory as it was", async (t) => {
  const directory = mounted(512);
  if (directory === undefined) {
    assert.notEqual(process.env["HOLDFAST_PEERS"], "required", "mounting needs root");
    t.skip("only root may mount a small file system");
    return;
  }
  try {
    writeFileSync(join(directory, "kept"), "before");
    writeFileSync(join(directory, "old"), "before");
    const changes = {
      removed: ["/data/old"],
      written: [file("/data/kept", 64 * KIB), file("/data/big", 900 * KIB)],
    };
    const back = writeBack(nodeFiles, [{ host: directory, guest: "/data" }], changes);
    await assert.rejects(back, (thrown: Error & { code?: string }) => {
      assert.equal(thrown.code, "OFFLINE_WRITE_BACK");
      assert.match(thrown.message, /nothing was changed.*ENOSPC/);
      return true;
    });
    assert.deepEqual(readdirSync(directory).sort(), ["kept", "old"]);
    assert.equal(readFileSync(join(directory, "kept"), "utf8"), "before");
  } finally {
    spawnSync("umount", [directory]);
    rmdirSync(directory);
  }
});
