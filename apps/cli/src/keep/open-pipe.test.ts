// A named pipe to which nobody comes holds nobody who gives up.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { openPipe } from "./open-pipe.ts";

suite("a named pipe without a writer", () => {
  let directory: string;
  let pipe: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "holdfast-pipe-"));
    pipe = join(directory, "pipe");
    assert.equal(spawnSync("mkfifo", [pipe]).status, 0);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  // The open waits in a thread from one of these turns on: given up before, about then, and after.
  for (const turns of [0, 1, 5, 50]) {
    test(`is given up after ${turns} turns`, { timeout: 60_000 }, async () => {
      const interruption = new AbortController();
      if (turns === 0) interruption.abort();
      const opening = openPipe(pipe, interruption.signal);
      for (let each = 0; each < turns; each += 1) await turn();
      interruption.abort();
      const source = await opening;
      assert.deepEqual(await source.toArray(), []);
    });
  }
});
