// SQLite through Node's own module, as Kysely expects a database. Write-ahead log with full synchronisation: what was
// acknowledged is on the disk.
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { type Dialect, type DialectAdapter, SqliteAdapter, SqliteDialect } from "kysely";

const BUSY_TIMEOUT_MS = 10_000;

/** Kysely would take steps of the schema outside a transaction; in one, a kill leaves all of them or none. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class TransactionalDialect extends SqliteDialect {
  override createAdapter(): DialectAdapter {
    return new TransactionalAdapter();
  }
}

/**
 * A dialect over one database file.
 * @param path of the file, or `:memory:`
 */
export function sqliteDialect(path: string): Dialect {
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
  return new TransactionalDialect({
    database: {
      close: () => database.close(),
      prepare: (sql) => {
        // A write that finds no room ends its transaction by itself (sqlite.org/lang_transaction.html): then there is
        // nothing to roll back, and whoever asked is to hear of the room.
        const isOver = sql === "rollback" && !database.isTransaction;
        const statement = database.prepare(isOver ? "select 1" : sql);
        const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
        return {
          reader: statement.columns().length > 0,
          all: (parameters) => statement.all(...values(parameters)),
          run: (parameters) => statement.run(...values(parameters)),
          iterate: (parameters) => statement.iterate(...values(parameters)),
        };
      },
    },
  });
}
