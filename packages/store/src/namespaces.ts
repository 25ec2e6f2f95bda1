// Namespaces: rooms that know nothing of each other. `default` is always there.
import type { Kysely, Selectable } from "kysely";
import { lockNamespace } from "./change.ts";
import { StoreError } from "./errors.ts";
import { hasContent, OVER, type Quotas, type Usage, used } from "./quotas.ts";
import type { NamespacesTable, Tables } from "./sql/tables.ts";
import { isReferenceViolation, isUniqueViolation } from "./sql/violations.ts";

/** A namespace's record. */
export interface StoredNamespace {
  readonly name: string;
  readonly quotas: Quotas;
  readonly createdAt: string;
}

/** What becomes of quotas: null lifts one, an absent one stays. */
export type QuotaChange = { readonly [name in keyof Quotas]?: number | null };

/** Namespaces by name. */
export interface NamespaceRepository {
  /** @throws StoreError STORE_CONFLICT when the name is taken */
  create(namespace: StoredNamespace): Promise<void>;
  find(name: string): Promise<StoredNamespace | undefined>;
  /** In order of names. */
  list(): Promise<StoredNamespace[]>;
  usage(name: string): Promise<Usage>;
  /** Whether some function of the namespace has a content already. */
  hasContent(name: string, sha256: string): Promise<boolean>;
  /** What is there stays, also when it is over a new quota. */
  change(name: string, quotas: QuotaChange): Promise<StoredNamespace | undefined>;
  /** Removes an empty namespace with its events and what it remembers. */
  remove(name: string): Promise<"removed" | "missing" | "used">;
}

/** Namespaces in a database. */
export function namespaceRepository(db: Kysely<Tables>): NamespaceRepository {
  return {
    async create({ name, quotas, createdAt }) {
      try {
        await db
          .insertInto("namespaces")
          .values({
            name,
            quota_functions: quotas.functions ?? null,
            quota_instances: quotas.instances ?? null,
            quota_bytes: quotas.bytes ?? null,
            quota_memory_mib: quotas.memoryMib ?? null,
            last_event: 0,
            created_at: createdAt,
          })
          .execute();
      } catch (cause) {
        if (!isUniqueViolation(cause)) throw cause;
        throw new StoreError("STORE_CONFLICT", `namespace ${name} exists already`, { cause });
      }
    },
    async find(name) {
      const row = await db
        .selectFrom("namespaces")
        .selectAll()
        .where("name", "=", name)
        .executeTakeFirst();
      return row === undefined ? undefined : namespaceOf(row);
    },
    async list() {
      const rows = await db.selectFrom("namespaces").selectAll().orderBy("name").execute();
      return rows.map(namespaceOf);
    },
    usage: async (name) => ({
      functions: await used.functions(db, name),
      instances: await used.instances(db, name),
      bytes: await used.bytes(db, name),
      memoryMib: await used.memoryMib(db, name),
    }),
    hasContent: (name, sha256) => hasContent(db, name, sha256),
    async change(name, { functions, instances, bytes, memoryMib }) {
      return await db.transaction().execute(async (transaction) => {
        if ((await lockNamespace(transaction, name)) === undefined) return undefined;
        const set = {
          ...(functions === undefined ? {} : { quota_functions: functions }),
          ...(instances === undefined ? {} : { quota_instances: instances }),
          ...(bytes === undefined ? {} : { quota_bytes: bytes }),
          ...(memoryMib === undefined ? {} : { quota_memory_mib: memoryMib }),
          name,
        };
        const row = await transaction
          .updateTable("namespaces")
          .set(set)
          .where("name", "=", name)
          .returningAll()
          .executeTakeFirstOrThrow();
        return namespaceOf(row);
      });
    },
    remove: (name) => removeNamespace(db, name),
  };
}

async function removeNamespace(
  db: Kysely<Tables>,
  name: string,
): Promise<"removed" | "missing" | "used"> {
  try {
    return await db.transaction().execute(async (transaction) => {
      if ((await lockNamespace(transaction, name)) === undefined) return "missing";
      for (const table of ["instances", "keeps"] as const) {
        await transaction
          .deleteFrom(table)
          .where("namespace", "=", name)
          .where("state", "in", OVER)
          .execute();
      }
      // Whatever else is in it refers to it, and the database refuses.
      await transaction.deleteFrom("namespaces").where("name", "=", name).execute();
      return "removed";
    });
  } catch (thrown) {
    if (isReferenceViolation(thrown)) return "used";
    throw thrown;
  }
}

function namespaceOf(row: Selectable<NamespacesTable>): StoredNamespace {
  return {
    name: row.name,
    quotas: {
      ...(row.quota_functions === null ? {} : { functions: row.quota_functions }),
      ...(row.quota_instances === null ? {} : { instances: row.quota_instances }),
      ...(row.quota_bytes === null ? {} : { bytes: row.quota_bytes }),
      ...(row.quota_memory_mib === null ? {} : { memoryMib: row.quota_memory_mib }),
    },
    createdAt: row.created_at,
  };
}
