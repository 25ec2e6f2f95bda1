import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Kysely, sql } from "kysely";
import { sqliteEngine } from "./engine.ts";
import type { Tables } from "./tables.ts";
import { isDiskFull } from "./violations.ts";

const directory = mkdtempSync(join(tmpdir(), "holdfast-engine-"));
after(() => rmSync(directory, { recursive: true, force: true }));

/** 1: commits wait for the operating system; 2: for the disk (sqlite.org/pragma.html). */
async function synchronous(db: Kysely<Tables>): Promise<number | undefined> {
  const { rows } = await sql<{ synchronous: number }>`pragma synchronous`.execute(db);
  return rows[0]?.synchronous;
}

test("only what is passing does without the disk, and whatever comes of it, nothing after it", async () => {
  const engine = sqliteEngine(join(directory, "holdfast.db"));
  const db = new Kysely<Tables>({ dialect: engine.dialect });
  assert.equal(await synchronous(db), 2);
  assert.equal(await engine.passing(db, synchronous), 1);
  assert.equal(await synchronous(db), 2);
  await assert.rejects(
    engine.passing(db, () => Promise.reject(new Error("broken"))),
    /broken/,
  );
  assert.equal(await synchronous(db), 2);
  // Nobody else's commit comes in between.
  const [passing, other] = await Promise.all([
    engine.passing(db, async (connection) => {
      await new Promise((resolve) => setImmediate(resolve));
      return await synchronous(connection);
    }),
    synchronous(db),
  ]);
  assert.deepEqual([passing, other], [1, 2]);
  await db.destroy();
});

test("a database that is full says so, and goes on once it has room", async () => {
  const engine = sqliteEngine(join(directory, "full.db"));
  const db = new Kysely<Tables>({ dialect: engine.dialect });
  await sql`create table notes (text text)`.execute(db);
  await sql`pragma max_page_count = 4`.execute(db);
  const write = (bytes: number): Promise<unknown> =>
    db.transaction().execute(async (transaction) => {
      await sql`insert into notes values ('first')`.execute(transaction);
      await sql`insert into notes values (${"x".repeat(bytes)})`.execute(transaction);
    });
  await assert.rejects(write(100_000), isDiskFull);
  await write(10);
  const { rows } = await sql<{ count: number }>`select count(*) as count from notes`.execute(db);
  assert.equal(rows[0]?.count, 2);
  await db.destroy();
});
