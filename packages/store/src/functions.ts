// Functions by name. What a name alone means is its head, a revision; revisions have a file of their own.
import type { Kysely } from "kysely";
import type { Changes } from "./change.ts";
import { StoreError } from "./errors.ts";
import { refuseOver } from "./quotas.ts";
import {
  insertRevision,
  type NewRevision,
  REVISION_COLUMNS,
  type RevisionRepository,
  revisionOf,
  revisionRepository,
  type StoredRevision,
} from "./revisions.ts";
import type { Tables } from "./sql/tables.ts";
import { isUniqueViolation } from "./sql/violations.ts";

/** A registered function. */
export interface StoredFunction {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  /** What the name alone means. */
  readonly head: StoredRevision;
  /** Id of the revision that becomes the head once it is complete. */
  readonly draft?: string;
  /** Digest of what was registered first. */
  readonly registered: string;
  readonly createdAt: string;
  readonly idempotencyKey?: string;
}

/** What a new function needs. */
export interface NewFunction {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly revision: NewRevision;
  readonly createdAt: string;
  readonly idempotencyKey?: string;
}

/** Functions by name, and their revisions. */
export interface FunctionRepository extends RevisionRepository {
  /**
   * Registers a function.
   * @throws StoreError STORE_CONFLICT when the name or the key is taken, STORE_QUOTA, STORE_NAMESPACE
   */
  create(fields: NewFunction): Promise<void>;
  find(namespace: string, name: string): Promise<StoredFunction | undefined>;
  findByIdempotencyKey(namespace: string, key: string): Promise<StoredFunction | undefined>;
  /** Names of those of a namespace, in order. */
  names(namespace: string): Promise<string[]>;
  /** Those of a namespace in order of names. */
  listIn(namespace: string): Promise<StoredFunction[]>;
  /** Removes the function with all of its revisions. */
  remove(namespace: string, name: string, at: string): Promise<boolean>;
}

/** Functions in a database. */
export function functionRepository(db: Kysely<Tables>, changes: Changes): FunctionRepository {
  const select = (namespace: string) =>
    db
      .selectFrom("functions")
      .innerJoin("revisions", "revisions.id", "functions.head")
      .select([
        "functions.id as own_id",
        "functions.namespace",
        "functions.name",
        "functions.draft",
        "functions.registered",
        "functions.created_at as own_created_at",
        "functions.idempotency_key",
        ...REVISION_COLUMNS,
      ])
      .where("functions.namespace", "=", namespace);
  return {
    ...revisionRepository(db, changes),
    create: (fields) => createFunction(changes, fields),
    async find(namespace, name) {
      const row = await select(namespace).where("functions.name", "=", name).executeTakeFirst();
      return row === undefined ? undefined : functionOf(row);
    },
    async findByIdempotencyKey(namespace, key) {
      const row = await select(namespace)
        .where("functions.idempotency_key", "=", key)
        .executeTakeFirst();
      return row === undefined ? undefined : functionOf(row);
    },
    async names(namespace) {
      const rows = await db
        .selectFrom("functions")
        .select("name")
        .where("namespace", "=", namespace)
        .orderBy("name")
        .execute();
      return rows.map(({ name }) => name);
    },
    async listIn(namespace) {
      return (await select(namespace).orderBy("functions.name").execute()).map(functionOf);
    },
    async remove(namespace, name, at) {
      const removed = await changes.in(namespace, async ({ transaction, record }) => {
        const { numDeletedRows } = await transaction
          .deleteFrom("functions")
          .where("namespace", "=", namespace)
          .where("name", "=", name)
          .executeTakeFirst();
        if (numDeletedRows === 0n) return false;
        await record({ kind: "function", subject: name, state: "removed", at });
        return true;
      });
      return removed ?? false;
    },
  };
}

async function createFunction(changes: Changes, fields: NewFunction): Promise<void> {
  const { id, namespace, name, revision, createdAt: at, idempotencyKey } = fields;
  try {
    const made = await changes.in(namespace, async (change) => {
      const row = {
        id,
        namespace,
        name,
        head: revision.id,
        draft: null,
        versions: 0,
        registered: revision.digest,
        created_at: at,
        idempotency_key: idempotencyKey ?? null,
      };
      await change.transaction.insertInto("functions").values(row).execute();
      await refuseOver(change, "functions", 1);
      await change.record({ kind: "function", subject: name, state: "defined", at });
      await insertRevision(change, row, revision, at);
      return true;
    });
    if (made) return;
  } catch (cause) {
    if (!isUniqueViolation(cause)) throw cause;
    throw new StoreError("STORE_CONFLICT", `function ${name} exists already`, { cause });
  }
  throw new StoreError("STORE_NAMESPACE", `there is no namespace ${namespace}`);
}

type Row = Parameters<typeof revisionOf>[0] & {
  own_id: string;
  namespace: string;
  name: string;
  draft: string | null;
  registered: string;
  own_created_at: string;
  idempotency_key: string | null;
};

function functionOf(row: Row): StoredFunction {
  return {
    id: row.own_id,
    namespace: row.namespace,
    name: row.name,
    head: revisionOf(row),
    ...(row.draft === null ? {} : { draft: row.draft }),
    registered: row.registered,
    createdAt: row.own_created_at,
    ...(row.idempotency_key === null ? {} : { idempotencyKey: row.idempotency_key }),
  };
}
