// A service that is killed while it keeps what vendors answered: whenever that happens, what is read afterwards is a whole
// entry of some turn or none, and the service starts again.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ENTRY_NAMES, entryOf } from "../testing/cache-entries.ts";
import { DiskCache } from "./disk-cache.ts";

/** Caches that are written at the same time, for starting a process takes longest; and how often each is killed. */
const CACHES = 3;
const KILLS = 10;
const WRITER = join(import.meta.dirname, "../testing/keep-writing.ts");
const LONGEST_WAIT_MS = 120_000;

test(`every entry is whole or absent after ${CACHES * KILLS} kills`, async (t) => {
  const drafts = await Promise.all(Array.from({ length: CACHES }, () => killOften(t)));
  t.diagnostic(`${drafts.reduce((sum, each) => sum + each)} drafts were cut off and removed`);
});

/** @returns how many writes were cut off in the middle */
async function killOften(t: TestContext): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-killed-"));
  t.after(() => rm(directory, { recursive: true }));
  const draftsIn = async () => (await readdir(directory)).filter((name) => !name.endsWith(".json"));
  let drafts = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    await writeAndKill(directory, Math.random() * 40);
    drafts += (await draftsIn()).length;
    const reports: string[] = [];
    const cache = await DiskCache.open(directory, (what, reason) =>
      reports.push(`${what}: ${reason}`),
    );
    for (const name of ENTRY_NAMES) {
      const entry = await cache.read(name);
      // The writer said that all were there.
      assert.ok(entry !== undefined, `kill ${kill}: ${name}: ${reports.join("; ")}`);
      const turn = entry.fetchedAt.getTime();
      assert.deepEqual(entry, entryOf(name, turn), `kill ${kill}: ${name}`);
    }
    assert.deepEqual(reports, []);
    assert.deepEqual(await draftsIn(), []);
  }
  return drafts;
}

/** Starts a writer, and kills it so long after all entries are there. */
async function writeAndKill(directory: string, delay: number): Promise<void> {
  const signal = AbortSignal.timeout(LONGEST_WAIT_MS);
  const writer = spawn(process.execPath, [WRITER, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(writer, "exit", { signal });
  try {
    await once(writer.stdout, "data", { signal });
    await pause(delay);
  } finally {
    writer.kill("SIGKILL");
    await exited;
  }
}
