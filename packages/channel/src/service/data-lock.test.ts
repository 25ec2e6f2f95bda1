import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { lockData } from "./data-lock.ts";

test("a data directory belongs to one process of a kind at a time", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-lock-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const first = lockData(directory, "vaas");
  assert.throws(() => lockData(directory, "vaas"), { code: "DATA_IN_USE" });
  lockData(directory, "ccfaas").release();
  first.release();
  lockData(directory, "vaas").release();
  assert.throws(() => lockData(join(directory, "absent")), { code: "DATA_IN_USE" });
});
