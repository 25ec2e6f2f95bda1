// A file that is read again when it changes.
import assert from "node:assert/strict";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { WatchedFile } from "./watched-file.ts";

async function watched(t: TestContext, text: string) {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-watched-"));
  t.after(() => rm(directory, { recursive: true }));
  const path = join(directory, "file");
  await writeFile(path, text);
  let now = 0;
  const later = (milliseconds: number): void => {
    now += milliseconds;
  };
  const faults: string[] = [];
  const file = await WatchedFile.open<{ a: number }>({
    path,
    parse: (given) => JSON.parse(given),
    clock: { now: () => new Date(now) },
    onFault: (fault) => faults.push(fault),
  });
  return { path, file, faults, later };
}

test("what is replaced is read again, a second later at the latest", async (t) => {
  const { path, file, later } = await watched(t, '{"a":1}');
  await writeFile(`${path}.new`, '{"a":2}');
  await rename(`${path}.new`, path);
  assert.deepEqual(await file.value(), { a: 1 });
  later(1000);
  assert.deepEqual(await file.value(), { a: 2 });
});

test("what is broken or gone is reported, and what was read before goes on", async (t) => {
  const { path, file, later, faults } = await watched(t, '{"a":1}');
  await writeFile(path, '{"a":');
  later(1000);
  assert.deepEqual(await file.value(), { a: 1 });
  assert.match(faults.at(-1) ?? "", /JSON/);
  await rm(path);
  later(1000);
  assert.deepEqual(await file.value(), { a: 1 });
  assert.match(faults.at(-1) ?? "", /ENOENT/);
  await writeFile(path, '{"a":33}');
  later(1000);
  assert.deepEqual(await file.value(), { a: 33 });
});

test("refused: a file that is not there at first", async () => {
  const options = { path: "/nowhere", parse: JSON.parse, clock: { now: () => new Date() } };
  await assert.rejects(WatchedFile.open({ ...options, onFault: () => undefined }), {
    code: "CONFIG_INVALID",
  });
});
