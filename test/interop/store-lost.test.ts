// A PostgreSQL that is lost, or falls silent, in the middle of things: whoever asked is told, and the process goes on.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isUnreachable } from "@holdfast/store";
import { Kysely, sql } from "kysely";
import { eventually } from "../../apps/control/src/testing/samples.ts";
import { postgresDialect } from "../../packages/store/src/sql/postgres.ts";
import type { Tables } from "../../packages/store/src/sql/tables.ts";
import { type FaultProxy, startFaultProxy } from "../peers/fault-proxy.ts";
import { type Postgres, skipWithoutPostgres, startPostgres } from "../peers/postgres.ts";

const skip = skipWithoutPostgres();

describe("a PostgreSQL that is lost", { skip, concurrency: false }, () => {
  let postgres: Postgres;
  let proxy: FaultProxy;
  let url: string;
  before(async () => {
    postgres = await startPostgres();
    const direct = new URL(postgres.newDatabase());
    proxy = await startFaultProxy({ host: direct.hostname, port: Number(direct.port) });
    direct.port = new URL(proxy.url).port;
    url = direct.href;
  });
  after(async () => {
    await proxy?.close();
    await postgres?.close();
  });

  const within = async (
    options: Parameters<typeof postgresDialect>[1],
    work: (db: Kysely<Tables>) => Promise<void>,
  ): Promise<void> => {
    const db = new Kysely<Tables>({ dialect: await postgresDialect(url, options) });
    try {
      await work(db);
    } finally {
      await db.destroy();
    }
  };
  const ask = (db: Kysely<Tables>) => sql<{ one: number }>`select 1 as one`.execute(db);

  it("between two statements of a transaction ends nothing but the transaction", () =>
    within({}, async (db) => {
      const broken = db.transaction().execute(async (transaction) => {
        await ask(transaction);
        // Every connection breaks.
        proxy.set();
        await sleep(200);
        await ask(transaction);
      });
      await assert.rejects(broken, isUnreachable);
      assert.equal((await ask(db)).rows[0]?.one, 1);
    }));

  it("during a statement is told as such", () =>
    within({}, async (db) => {
      const asking = sql`select pg_sleep(60)`.execute(db);
      const broken = assert.rejects(asking, isUnreachable);
      const active = sql<{ count: number }>`select count(*) as count from pg_stat_activity
        where state = 'active' and query = 'select pg_sleep(60)'`;
      // By a connection of its own, which is gone again when the others break.
      await within({}, async (other) => {
        await eventually(
          () => active.execute(other),
          ({ rows }) => rows[0]?.count === 1,
        );
      });
      proxy.set();
      await broken;
      assert.equal((await ask(db)).rows[0]?.one, 1);
    }));

  it("is not waited for for ever", () =>
    within({ silenceMs: 300 }, async (db) => {
      await assert.rejects(sql`select pg_sleep(3)`.execute(db), isUnreachable);
      assert.equal((await ask(db)).rows[0]?.one, 1, "and not by who comes next either");
    }));

  it("by one process that stands still in a transaction goes on for the others", () =>
    within({ betweenMs: 300 }, async (db) => {
      const standing = db.transaction().execute(async (transaction) => {
        await sql`select pg_advisory_xact_lock(1)`.execute(transaction);
        await within({}, async (other) => {
          await sql`select pg_advisory_lock(1)`.execute(other);
        });
        await ask(transaction);
      });
      await assert.rejects(standing, isUnreachable);
    }));

  it("and listens nowhere is told as such", async () => {
    const nowhere = await postgresDialect("postgres://holdfast@127.0.0.1:9/none");
    const db = new Kysely<Tables>({ dialect: nowhere });
    await assert.rejects(ask(db), isUnreachable);
    await db.destroy();
  });
});
