// How long holds of blobs last that other processes wait for.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Kysely } from "kysely";
import { sqliteEngine } from "../sql/engine.ts";
import { migrate } from "../sql/migrations.ts";
import type { Tables } from "../sql/tables.ts";
import { type BlobHolds, blobHolds } from "./blob-holds.ts";

const SHA256 = "ab".repeat(32);
const MINUTE_MS = 60_000;
const LIMIT = { timeout: 30_000 };

interface Held {
  readonly holds: BlobHolds;
  /** Milliseconds that the only hold still has; undefined when there is none. */
  left(): Promise<number | undefined>;
}

/** Holds in a database that other processes share. */
async function shared(t: TestContext): Promise<Held> {
  const engine = { ...sqliteEngine(":memory:"), isShared: true };
  const db = new Kysely<Tables>({ dialect: engine.dialect });
  t.after(() => db.destroy());
  await migrate(db, engine.name);
  return {
    holds: blobHolds(db, engine),
    async left() {
      const row = await db.selectFrom("blob_holds").select("until").executeTakeFirst();
      return row === undefined ? undefined : Date.parse(row.until) - Date.now();
    },
  };
}

test("a process that died holds a blob for less long than others wait for it", LIMIT, async (t) => {
  const { holds, left } = await shared(t);
  for (const take of ["hold", "remove"] as const) {
    const found: (number | undefined)[] = [];
    await holds[take](SHA256, async () => {
      found.push(await left());
      return true;
    });
    const [ms = 0] = found;
    assert.ok(ms > 0 && ms < MINUTE_MS, `${ms}`);
    assert.equal(await left(), undefined);
  }
});

test("a hold is renewed while the work goes on", LIMIT, async (t) => {
  const { holds, left } = await shared(t);
  t.mock.timers.enable({ apis: ["setInterval", "Date"], now: Date.now() });
  await holds.hold(SHA256, async () => {
    const first = (await left()) ?? 0;
    t.mock.timers.tick(20_000);
    for (let turns = 0; turns < 1000 && (await left()) !== first; turns += 1) await setImmediate();
    assert.equal(await left(), first);
  });
});

test("a removal that failed may still come to pass: its hold stays", LIMIT, async (t) => {
  const { holds, left } = await shared(t);
  const fails = (): Promise<boolean> => Promise.reject(new Error("silence"));
  await assert.rejects(holds.remove(SHA256, fails), /silence/);
  assert.ok(((await left()) ?? 0) > 5 * MINUTE_MS);
});
