// What differs between database engines, in one place.
import { type Dialect, type Kysely, sql, type Transaction } from "kysely";
import type { EngineName } from "./migrations.ts";
import { postgresDialect, takeAdvisoryLock } from "./postgres.ts";
import { sqliteDialect } from "./sqlite.ts";
import type { Tables } from "./tables.ts";

/** A database engine. */
export interface Engine {
  readonly name: EngineName;
  readonly dialect: Dialect;
  /** Several processes may work on the database at once. */
  readonly isShared: boolean;
  /**
   * Does work whose writes nobody is told of: they outlive this process, as others may rely on, but need not outlive the
   * machine, with which all that they tell of ends.
   */
  passing<T>(db: Kysely<Tables>, work: (db: Kysely<Tables>) => Promise<T>): Promise<T>;
  /** Makes transactions that add to a sum follow one another until they end. */
  lockSums(transaction: Transaction<Tables>): Promise<void>;
}

/** SQLite in a file. Its writers follow one another by themselves. */
export function sqliteEngine(path: string): Engine {
  return {
    name: "sqlite",
    dialect: sqliteDialect(path),
    isShared: false,
    // The next commit that somebody is told of takes those before it to the disk as well.
    passing: (db, work) =>
      db.connection().execute(async (connection) => {
        await sql`pragma synchronous = normal`.execute(connection);
        try {
          return await work(connection);
        } finally {
          await sql`pragma synchronous = full`.execute(connection);
        }
      }),
    lockSums: () => Promise.resolve(),
  };
}

/** PostgreSQL at a URL. */
export async function postgresEngine(url: string): Promise<Engine> {
  return {
    name: "postgres",
    dialect: await postgresDialect(url),
    isShared: true,
    // Processes on other machines go on when the database's machine does not.
    passing: (db, work) => work(db),
    lockSums: takeAdvisoryLock,
  };
}
