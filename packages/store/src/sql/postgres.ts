// PostgreSQL, for more than one machine. The driver is loaded only where a URL asks for it.
import {
  type Dialect,
  PostgresDialect,
  type PostgresPool,
  type PostgresPoolClient,
  sql,
  type Transaction,
} from "kysely";
import type { Tables } from "./tables.ts";

const CONNECTIONS = 10;
const CONNECT_MS = 10_000;
const STATEMENT_MS = 30_000;
/** For a server that does not even say that a statement took too long. */
const SILENCE_MS = STATEMENT_MS + 5000;
/** Ours follow at once: a process that stands still in a transaction must not keep others from what it has locked. */
const BETWEEN_STATEMENTS_MS = 10_000;
/** Types that come as text, because they may exceed a number; ours never do. */
const BIGINT = 20;
const NUMERIC = 1700;
/** Any number of our own: advisory locks of others on the database are not ours. */
const SUMS_LOCK = 4_823_117_020;

/**
 * A dialect over a pool of connections.
 * @param options.silenceMs how long to wait for an answer
 * @param options.betweenMs how long the server waits for the next statement of a transaction
 */
export async function postgresDialect(
  url: string,
  {
    silenceMs = SILENCE_MS,
    betweenMs = BETWEEN_STATEMENTS_MS,
  }: { silenceMs?: number; betweenMs?: number } = {},
): Promise<Dialect> {
  const { Pool, types } = (await import("pg")).default;
  const pool = new Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    query_timeout: silenceMs,
    idle_in_transaction_session_timeout: betweenMs,
    application_name: "holdfast",
    types: {
      getTypeParser: (id, format) =>
        id === BIGINT || id === NUMERIC ? Number : types.getTypeParser(id, format),
    },
  });
  // A connection that is lost is replaced, and whoever asks by it next is told; without a listener a loss would end the
  // process: that of an idle one, and that of one in a transaction, between two statements.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  return new PostgresDialect({ pool: withoutSilent(pool) });
}

/** What the driver says when no answer came in time; it has no code for it. */
const NO_ANSWER = "Query read timeout";

/** The pool, but for connections that once did not answer: the next statement would wait behind the one that does not end. */
function withoutSilent(pool: PostgresPool): PostgresPool {
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect();
      let silent: unknown;
      const query = async (text: string, parameters: readonly unknown[]): Promise<unknown> => {
        if (silent !== undefined) throw silent;
        try {
          return await client.query(text, parameters);
        } catch (thrown) {
          if (thrown instanceof Error && thrown.message === NO_ANSWER) silent = thrown;
          throw thrown;
        }
      };
      return {
        query: query as PostgresPoolClient["query"],
        release: (destroy) => client.release(destroy === true || silent !== undefined),
      };
    },
  };
}

/** Held until the transaction ends. */
export async function takeAdvisoryLock(transaction: Transaction<Tables>): Promise<void> {
  await sql`select pg_advisory_xact_lock(${SUMS_LOCK}::bigint)`.execute(transaction);
}
