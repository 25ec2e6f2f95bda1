// The cache on disk: bounded, whole or absent, and never what it was not asked for.
import assert from "node:assert/strict";
import { copyFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { DiskCache } from "./disk-cache.ts";

const ANSWER = {
  fetchedAt: new Date("2026-06-01T00:00:00Z"),
  files: [{ name: "list", bytes: Uint8Array.of(1, 2, 3) }],
};

async function newCache(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-cache-"));
  t.after(() => rm(directory, { recursive: true }));
  const reports: string[] = [];
  const open = async () =>
    await DiskCache.open(directory, (what, reason) => reports.push(`${what}: ${reason}`));
  return { directory, reports, open };
}

test("gives back what was written, after a restart too", async (t) => {
  const { open, reports } = await newCache(t);
  const cache = await open();
  await cache.write("a", ANSWER);
  assert.deepEqual(await cache.read("a"), ANSWER);
  assert.deepEqual(await (await open()).read("a"), ANSWER);
  assert.equal(await cache.read("b"), undefined);
  assert.deepEqual(reports, []);
});

test("what was written longest ago makes room", async (t) => {
  const { directory, open } = await newCache(t);
  for (let index = 0; index < 1024; index += 1) {
    await writeFile(join(directory, `${index.toString(16).padStart(64, "0")}.json`), "{}");
  }
  const cache = await open();
  await cache.write("a", ANSWER);
  assert.equal((await readdir(directory)).length, 1024);
  assert.deepEqual(await cache.read("a"), ANSWER);
});

test("another document's file and one that is too long are reported, not read", async (t) => {
  const { directory, open, reports } = await newCache(t);
  const first = await open();
  await first.write("a", ANSWER);
  const [a = ""] = await readdir(directory);
  await first.write("b", ANSWER);
  const b = (await readdir(directory)).find((each) => each !== a) ?? "";
  await copyFile(join(directory, a), join(directory, b));
  await writeFile(join(directory, a), " ".repeat(5 * 1024 * 1024));
  await writeFile(join(directory, "notes.txt"), "");
  const cache = await open();
  assert.equal(await cache.read("a"), undefined);
  assert.equal(await cache.read("b"), undefined);
  assert.match(reports[0] ?? "", /notes\.txt/);
  assert.match(reports[1] ?? "", /at most/);
  assert.match(reports[2] ?? "", /another document/);
});

test("a disk that can't be written costs nothing but a report", async (t) => {
  const { directory, open, reports } = await newCache(t);
  const cache = await open();
  await rm(directory, { recursive: true });
  await cache.write("a", ANSWER);
  assert.equal(reports.length, 1);
  await open();
});
