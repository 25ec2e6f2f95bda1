// Changes within a namespace follow one another: each holds the namespace's row until its transaction ends. So sums that
// quotas bound are true when they are compared, and events are numbered in the order in which they become visible. The
// row is always taken first, before any other, so that two changes never wait for each other.
import type { Expression, Kysely, Selectable, Transaction } from "kysely";
import type { EventLog, NewEvent } from "./events.ts";
import type { Engine } from "./sql/engine.ts";
import type { NamespacesTable, Tables } from "./sql/tables.ts";

/** A change that is being made. */
export interface Change {
  readonly transaction: Transaction<Tables>;
  readonly namespace: Selectable<NamespacesTable>;
  /** Writes an event of this namespace. */
  record(event: NewEvent): Promise<void>;
}

/** Makes changes. */
export interface Changes {
  /**
   * Makes a change, or none at all when `work` throws.
   * @param where the namespace's name, or a query for it
   * @param options.passing nobody is told of the change: see `Engine`
   * @returns undefined when there is no such namespace
   */
  in<T>(
    where: string | Expression<string>,
    work: (change: Change) => Promise<T>,
    options?: { readonly passing: boolean },
  ): Promise<T | undefined>;
}

/** Changes of a database. */
export function changesOf(db: Kysely<Tables>, engine: Engine, events: EventLog): Changes {
  return {
    in(where, work, { passing } = { passing: false }) {
      const change = (connection: Kysely<Tables>) =>
        connection.transaction().execute(async (transaction) => {
          const namespace = await lockNamespace(transaction, where);
          if (namespace === undefined) return undefined;
          const record = (event: NewEvent): Promise<void> =>
            events.add(transaction, namespace.name, event);
          return await work({ transaction, namespace, record });
        });
      return passing ? engine.passing(db, change) : change(db);
    },
  };
}

/** The namespace that a function is in, as a query. */
export function namespaceOfFunction(db: Kysely<Tables>, id: string): Expression<string> {
  return db.selectFrom("functions").select("namespace").where("id", "=", id).$asScalar();
}

/** Takes a namespace's row until the transaction ends. */
export async function lockNamespace(
  transaction: Transaction<Tables>,
  where: string | Expression<string>,
): Promise<Selectable<NamespacesTable> | undefined> {
  // Writing what is there already locks a row in every engine.
  return await transaction
    .updateTable("namespaces")
    .set(({ ref }) => ({ last_event: ref("last_event") }))
    .where("name", "=", where)
    .returningAll()
    .executeTakeFirst();
}
