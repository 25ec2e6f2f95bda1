// CCFaaS's identity toward keeps: one for all processes, and never one that keeps would not let in.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Clock, systemClock } from "@holdfast/core";
import { loaderIdentity } from "./loader-identity.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const inDays = (days: number): Clock => ({ now: () => new Date(Date.now() + days * DAY_MS) });

async function fileOf(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-loader-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return join(directory, "loader.json");
}

/** Several processes that start at once. */
const all = (path: string, clock: Clock) =>
  Promise.all(Array.from({ length: 4 }, () => loaderIdentity(path, clock)));

test("one is made on first start, for its owner alone, and is the same for all from then on", async (t) => {
  const path = await fileOf(t);
  const made = await all(path, systemClock);
  for (const one of made) assert.deepEqual(one, made[0]);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await loaderIdentity(path, inDays(3650 - 91)), made[0]);
  assert.equal((await readdir(join(path, ".."))).length, 1);
});

for (const [when, days] of [
  ["near its end", 3650 - 89],
  ["past its end, as in a directory that was restored", 3651],
] as const) {
  test(`one ${when} has a successor, the same for all`, async (t) => {
    const path = await fileOf(t);
    const first = await loaderIdentity(path, systemClock);
    const next = await all(path, inDays(days));
    for (const one of next) assert.deepEqual(one, next[0]);
    assert.notDeepEqual(next[0], first);
    assert.deepEqual(await loaderIdentity(path, systemClock), first);
  });
}
