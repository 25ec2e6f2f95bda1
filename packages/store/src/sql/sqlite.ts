// SQLite through Node's own module, as Kysely expects a database. Write-ahead log with full synchronisation: what was
// acknowledged is on the disk.
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import {
  type Dialect,
  type DialectAdapter,
  SqliteAdapter,
  SqliteDialect,
  type SqliteStatement,
} from "kysely";

const BUSY_TIMEOUT_MS = 10_000;
/** How many statements stay prepared. */
const PREPARED = 200;

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
  const prepared = new Map<string, SqliteStatement>();
  return new TransactionalDialect({
    database: {
      close: () => database.close(),
      prepare: (sql) => {
        const text = statementFor(sql, database.isTransaction);
        const statement = prepared.get(text) ?? prepare(database, text);
        // Lists of values make texts of their own.
        if (prepared.size >= PREPARED) prepared.clear();
        prepared.set(text, statement);
        return statement;
      },
    },
  });
}

function prepare(database: DatabaseSync, sql: string): SqliteStatement {
  const statement = database.prepare(sql);
  const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...values(parameters)),
    run: (parameters) => statement.run(...values(parameters)),
    // Of a statement of its own: rows of another use may come in between.
    iterate: (parameters) => database.prepare(sql).iterate(...values(parameters)),
  };
}

/** Statements that begin and end transactions, as SQLite is to have them (sqlite.org/lang_transaction.html). */
function statementFor(sql: string, isTransaction: boolean): string {
  // One that reads first and writes then would fail where another process wrote in between: it waits at its beginning.
  if (sql === "begin") return "begin immediate";
  // A write that finds no room ends its transaction by itself: there is nothing to roll back, and whoever asked is to
  // hear of the room.
  if (sql === "rollback" && !isTransaction) return "select 1";
  return sql;
}
