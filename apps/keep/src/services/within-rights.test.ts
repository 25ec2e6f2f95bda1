import assert from "node:assert/strict";
import { test } from "node:test";
import { RIGHTS } from "@holdfast/policy";
import { EMPTY_CONTENT, type StoredNode } from "@holdfast/wasi";
import { isWithinRights } from "./within-rights.ts";

const RIGHTS_TABLE = new Map([
  ["/in", RIGHTS.fd_read | RIGHTS.path_open],
  ["/out", RIGHTS.path_create_file | RIGHTS.fd_write],
  ["/out/sub/deep", RIGHTS.fd_read],
]);

test("files and links only where something may be changed", () => {
  assert.ok(within(file("/out/x")));
  assert.ok(within(file("/out/other/y")));
  for (const path of ["/in/x", "/program/run.wasm", "/x", "/out/sub/deep", "/out/sub/deep/x"]) {
    assert.ok(!within(file(path)), path);
  }
});

test("directories of the rights and above them", () => {
  for (const path of ["/", "/in", "/out/sub", "/out/new"]) assert.ok(within(directory(path)), path);
  assert.ok(!within(directory("/program")));
  assert.ok(!within(directory("/in/new")));
});

test("removing needs a right to remove", () => {
  assert.ok(!isWithinRights(RIGHTS_TABLE, { removed: ["/out/x"], written: [] }));
  const rights = new Map([["/out", RIGHTS.path_unlink_file]]);
  assert.ok(isWithinRights(rights, { removed: ["/out/x"], written: [] }));
  assert.ok(!isWithinRights(rights, { removed: ["/in/x"], written: [] }));
});

function within(node: StoredNode): boolean {
  return isWithinRights(RIGHTS_TABLE, { removed: [], written: [node] });
}

function file(path: string): StoredNode {
  return { kind: "file", path, content: EMPTY_CONTENT, accessed: 0n, modified: 0n };
}

function directory(path: string): StoredNode {
  return { kind: "directory", path, accessed: 0n, modified: 0n };
}
