// What differs between database engines, in one place.
import type { Dialect, Transaction } from "kysely";
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
  /** Makes transactions that add to a sum follow one another until they end. */
  lockSums(transaction: Transaction<Tables>): Promise<void>;
}

/** SQLite in a file. Its writers follow one another by themselves. */
export function sqliteEngine(path: string): Engine {
  return {
    name: "sqlite",
    dialect: sqliteDialect(path),
    isShared: false,
    lockSums: () => Promise.resolve(),
  };
}

/** PostgreSQL at a URL. */
export async function postgresEngine(url: string): Promise<Engine> {
  return {
    name: "postgres",
    dialect: await postgresDialect(url),
    isShared: true,
    lockSums: takeAdvisoryLock,
  };
}
