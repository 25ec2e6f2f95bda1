// Keeps and the ports and memory they hold. A port is held by one row at a time: the database itself says so.
import type { Kysely, Transaction } from "kysely";
import type { Changes } from "./change.ts";
import { StoreError } from "./errors.ts";
import type { NewEvent } from "./events.ts";
import {
  columnsOf,
  ENTRY_COLUMNS,
  entryOf,
  type KeepChange,
  type KeepEntry,
  keepOf,
  type NewKeep,
  rowOf,
  type StoredKeep,
  type StoredKeepState,
} from "./keep-records.ts";
import { OVER, refuseOver } from "./quotas.ts";
import { countStates } from "./sql/count-states.ts";
import type { Engine } from "./sql/engine.ts";
import type { KeepsTable, Tables } from "./sql/tables.ts";
import { isUniqueViolation } from "./sql/violations.ts";

/** Keeps by id, name and request. */
export interface KeepRepository {
  /**
   * Records a keep and takes its port and memory.
   * @param budgetMib memory that all living keeps of the node may have together
   * @throws StoreError STORE_CONFLICT when the port or the request key is taken, STORE_FULL when memory is used up,
   *   STORE_QUOTA, STORE_NAMESPACE
   */
  create(keep: NewKeep, budgetMib?: number): Promise<void>;
  find(id: string): Promise<StoredKeep | undefined>;
  findByRequestKey(namespace: string, key: string): Promise<StoredKeep | undefined>;
  /** Those of all namespaces, newest first: for who looks after keeps, never for who asks. */
  list(): Promise<KeepEntry[]>;
  /** Those of `list` that are not over. */
  living(): Promise<StoredKeep[]>;
  /** Those of a namespace, newest first, those that are over included. */
  listIn(namespace: string): Promise<KeepEntry[]>;
  /** Those of `listIn` that are not over. */
  livingIn(namespace: string): Promise<StoredKeep[]>;
  /** The newest of an instance hash, which others may have had before. */
  findByHash(namespace: string, instanceHash: string): Promise<StoredKeep | undefined>;
  usedPorts(host: string): Promise<Set<number>>;
  /** How many there are in all namespaces, by state. */
  counts(): Promise<Map<string, number>>;
  /** @returns whether the keep was in one of the states it may come from */
  move(
    id: string,
    from: readonly StoredKeepState[],
    to: StoredKeepState,
    at: string,
    change?: KeepChange,
  ): Promise<boolean>;
  /** Frees port and request key; the keep is over, for good or ill. */
  close(id: string, state: "ended" | "failed", reason: string, at: string): Promise<boolean>;
  remove(id: string): Promise<void>;
  /** Forgets ended and failed keeps not changed since. */
  forget(before: string): Promise<string[]>;
}

/** Keeps end with the machine that they are on: so may what is known of them. */
const PASSING = { passing: true };

/** Keeps in a database. */
export function keepRepository(
  db: Kysely<Tables>,
  engine: Engine,
  changes: Changes,
): KeepRepository {
  const select = () => db.selectFrom("keeps").selectAll();
  const newestFirst = () => select().orderBy("created_at", "desc").orderBy("id");
  const inside = (namespace: string) => newestFirst().where("namespace", "=", namespace);
  const entries = () =>
    db.selectFrom("keeps").select(ENTRY_COLUMNS).orderBy("created_at", "desc").orderBy("id");
  const namespaceOf = (id: string) =>
    db.selectFrom("keeps").select("namespace").where("id", "=", id).$asScalar();
  return {
    create: (keep, budgetMib) => createKeep(engine, changes, keep, budgetMib),
    async find(id) {
      const row = await select().where("id", "=", id).executeTakeFirst();
      return row === undefined ? undefined : keepOf(row);
    },
    async findByRequestKey(namespace, key) {
      const row = await select()
        .where("namespace", "=", namespace)
        .where("request_key", "=", key)
        .executeTakeFirst();
      return row === undefined ? undefined : keepOf(row);
    },
    list: async () => (await entries().execute()).map(entryOf),
    living: async () => (await newestFirst().where("state", "not in", OVER).execute()).map(keepOf),
    listIn: async (namespace) =>
      (await entries().where("namespace", "=", namespace).execute()).map(entryOf),
    livingIn: async (namespace) =>
      (await inside(namespace).where("state", "not in", OVER).execute()).map(keepOf),
    async findByHash(namespace, instanceHash) {
      const row = await inside(namespace)
        .where("instance_hash", "=", instanceHash)
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? undefined : keepOf(row);
    },
    async usedPorts(host) {
      const rows = await db
        .selectFrom("keeps")
        .select("port")
        .where("host", "=", host)
        .where("port", "is not", null)
        .execute();
      return new Set(rows.flatMap(({ port }) => (port === null ? [] : [port])));
    },
    counts: () => countStates(db, "keeps"),
    async move(id, from, to, at, change = {}) {
      const set = { state: to, updated_at: at, ...columnsOf(change) };
      const done = await changes.in(
        namespaceOf(id),
        async ({ transaction, record }) => {
          const moved = await transaction
            .updateTable("keeps")
            .set(set)
            .where("id", "=", id)
            .where("state", "in", from)
            .returning(["instance_hash", "reason"])
            .executeTakeFirst();
          if (moved !== undefined) await record(eventOf(moved, to, at));
          return moved !== undefined;
        },
        PASSING,
      );
      return done ?? false;
    },
    async close(id, state, reason, at) {
      const set = { state, reason, port: null, request_key: null, updated_at: at };
      const done = await changes.in(
        namespaceOf(id),
        async ({ transaction, record }) => {
          const closed = await transaction
            .updateTable("keeps")
            .set(set)
            .where("id", "=", id)
            .where("state", "not in", OVER)
            .returning(["instance_hash", "reason"])
            .executeTakeFirst();
          if (closed !== undefined) await record(eventOf(closed, state, at));
          return closed !== undefined;
        },
        PASSING,
      );
      return done ?? false;
    },
    async remove(id) {
      await db.deleteFrom("keeps").where("id", "=", id).execute();
    },
    async forget(before) {
      const rows = await db
        .deleteFrom("keeps")
        .where("state", "in", OVER)
        .where("updated_at", "<", before)
        .returning("id")
        .execute();
      return rows.map(({ id }) => id);
    },
  };
}

async function createKeep(
  engine: Engine,
  changes: Changes,
  keep: NewKeep,
  budgetMib?: number,
): Promise<void> {
  const { namespace, port, maxMemoryMib } = keep;
  try {
    const made = await changes.in(
      namespace,
      async (change) => {
        const { transaction, record } = change;
        // Memory is the machine's: whoever takes of it waits for whoever does in other namespaces.
        if (budgetMib !== undefined) await engine.lockSums(transaction);
        await transaction.insertInto("keeps").values(rowOf(keep)).execute();
        await refuseOver(change, "memoryMib", maxMemoryMib);
        if (budgetMib !== undefined) await refuseOverBudget(change.transaction, keep, budgetMib);
        const fields = { instance_hash: keep.instanceHash, reason: null };
        await record(eventOf(fields, "requested", keep.createdAt));
        return true;
      },
      PASSING,
    );
    if (made) return;
  } catch (cause) {
    if (!isUniqueViolation(cause)) throw cause;
    throw new StoreError("STORE_CONFLICT", `port ${port} or the request key is taken`, { cause });
  }
  throw new StoreError("STORE_NAMESPACE", `there is no namespace ${namespace}`);
}

async function refuseOverBudget(
  transaction: Transaction<Tables>,
  keep: NewKeep,
  budgetMib: number,
): Promise<void> {
  const { used } = await transaction
    .selectFrom("keeps")
    .select(({ fn }) => fn.sum<number>("max_memory_mib").as("used"))
    .where("node", "=", keep.node)
    .where("state", "not in", OVER)
    .executeTakeFirstOrThrow();
  if (Number(used) <= budgetMib) return;
  const free = budgetMib - Number(used) + keep.maxMemoryMib;
  throw new StoreError(
    "STORE_FULL",
    `${keep.maxMemoryMib} MiB asked, ${free} of ${budgetMib} MiB are free`,
  );
}

function eventOf(
  { instance_hash, reason }: Pick<KeepsTable, "instance_hash" | "reason">,
  state: string,
  at: string,
): NewEvent {
  return {
    kind: "keep",
    subject: instance_hash,
    state,
    at,
    ...(reason === null ? {} : { reason }),
  };
}
