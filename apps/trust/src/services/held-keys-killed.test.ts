// A service that is killed while it keeps keys: every key that somebody heard of is there afterwards, whole, and the service
// starts again.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "@holdfast/core";
import { bodyOf } from "../testing/numbered-keys.ts";
import { HeldKeys } from "./held-keys.ts";

const KILLS = 8;
const WRITER = join(import.meta.dirname, "../testing/keep-putting.ts");
const LONGEST_WAIT_MS = 120_000;

test(`every key that was acknowledged is whole after ${KILLS} kills`, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-killed-keys-"));
  t.after(() => rm(directory, { recursive: true }));
  const heard = new Set<string>();
  let drafts = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    await putAndKill(directory, heard, Math.random() * 40);
    drafts += (await readdir(directory)).filter((name) => !name.endsWith(".json")).length;
    const keys = await HeldKeys.open(directory, systemClock);
    for (const name of heard) {
      assert.deepEqual(keys.find(name)?.bytes.toBase64(), bodyOf(name).key, name);
    }
    const left = await readdir(directory);
    assert.ok(left.every((name) => name.endsWith(".json")));
    // One may be kept that nobody heard of.
    assert.ok(left.length - heard.size <= kill + 1);
  }
  assert.ok(heard.size >= KILLS);
  t.diagnostic(`${heard.size} keys; ${drafts} drafts were cut off and removed`);
});

/** Starts a writer, and kills it so long after it has kept its first key. */
async function putAndKill(directory: string, heard: Set<string>, delay: number): Promise<void> {
  const signal = AbortSignal.timeout(LONGEST_WAIT_MS);
  const writer = spawn(process.execPath, [WRITER, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(writer, "close", { signal });
  const lines = createInterface({ input: writer.stdout });
  lines.on("line", (name) => heard.add(name));
  try {
    await once(lines, "line", { signal });
    await pause(delay);
  } finally {
    writer.kill("SIGKILL");
    await closed;
  }
}
