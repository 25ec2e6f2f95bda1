// Steps of the schema on SQLite, and a process that is killed among them: what is in its files after each statement is
// what the next process finds.
import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Dialect, Kysely, sql } from "kysely";
import { migrate } from "./migrations.ts";
import { sqliteDialect } from "./sqlite.ts";
import type { Tables } from "./tables.ts";

const directory = mkdtempSync(join(tmpdir(), "holdfast-migrations-"));
after(() => rmSync(directory, { recursive: true, force: true }));

/** Does work on a database, and ends it. */
async function within<T>(dialect: Dialect, work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
  const db = new Kysely<Tables>({ dialect });
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

/** Takes steps, and copies the database after each statement as a kill would leave it. */
async function interrupted(path: string, last?: string): Promise<string[]> {
  const copies: string[] = [];
  const db = new Kysely<Tables>({
    dialect: sqliteDialect(path),
    log() {
      const copy = `${path}.${copies.length}`;
      for (const file of ["", "-wal"]) {
        if (existsSync(path + file)) copyFileSync(path + file, copy + file);
      }
      copies.push(copy);
    },
  });
  await migrate(db, "sqlite", last);
  await db.destroy();
  return copies;
}

test("a kill among the first steps leaves a database that the next start completes", async () => {
  const copies = await interrupted(join(directory, "new.db"));
  assert.ok(copies.length > 40, `${copies.length}`);
  for (const copy of copies) {
    const found = await within(sqliteDialect(copy), async (db) => {
      await migrate(db, "sqlite");
      return await db.selectFrom("namespaces").select("name").execute();
    });
    assert.deepEqual(
      found.map(({ name }) => name),
      ["default"],
      copy,
    );
  }
});

test("a kill among later steps loses nothing of an earlier release", async () => {
  const path = join(directory, "old.db");
  await within(sqliteDialect(path), async (db) => {
    await migrate(db, "sqlite", "0006-blob-holds");
    await sql`insert into functions (id, name, definition, created_at)
      values ('f', 'vod', '{"programs":[{}]}', '2026-01-01T00:00:00.000Z')`.execute(db);
    await sql`insert into files (function_id, path, kind, sha256, size, stored_at)
      values ('f', '/a', 'program', 'ab', 1, '2026-01-01T00:00:00.000Z')`.execute(db);
  });
  for (const copy of await interrupted(path)) {
    const found = await within(sqliteDialect(copy), async (db) => {
      await migrate(db, "sqlite");
      return await db
        .selectFrom("files")
        .innerJoin("revisions", "revisions.id", "files.revision_id")
        .select(["path", "version"])
        .execute();
    });
    assert.deepEqual(
      found.map(({ path: file, version }) => `${file} ${version}`),
      ["/a 1"],
      copy,
    );
  }
});
