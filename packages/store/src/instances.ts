// Instances of functions. A state changes only from a state that allows it, so that a creation that ends late never
// overwrites a deletion that began in the meantime.
import type { Kysely, Selectable } from "kysely";
import { StoreError } from "./errors.ts";
import type { EventLog } from "./events.ts";
import type { InstancesTable, Tables } from "./sql/tables.ts";
import { isUniqueViolation } from "./sql/violations.ts";

/** How an instance stands. */
export type StoredInstanceState =
  | "requested"
  | "starting"
  | "attested"
  | "provisioning"
  | "ready"
  | "ending"
  | "ended"
  | "failed";

/** An instance's record. */
export interface StoredInstance {
  /** Its own for ever; `id` may be used again. */
  readonly key: string;
  readonly id: string;
  readonly functionName: string;
  readonly functionDefinition: string;
  readonly userPolicy: string;
  readonly state: StoredInstanceState;
  readonly reason?: string;
  readonly finalState?: "removed" | "failed";
  readonly requestKey: string;
  readonly policy?: string;
  readonly keepName?: string;
  readonly keepHash?: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly idempotencyKey?: string;
}

/** A file that is to be loaded into the instance's keep. */
export interface Load {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
  readonly priority: number;
  readonly position: number;
  readonly loaded: boolean;
}

/** What a new instance needs. */
export type NewInstance = Omit<StoredInstance, "state" | "updatedAt"> & {
  readonly loads: readonly Omit<Load, "loaded">[];
  /** Who works on it from the start. */
  readonly lease?: { readonly owner: string; readonly until: string };
};

/** What may change along with the state. */
export interface InstanceChange {
  readonly reason?: string;
  /** What becomes of the record once the keep is ended. */
  readonly finalState?: "removed" | "failed";
  readonly policy?: string;
  readonly keepName?: string;
  readonly keepHash?: string;
}

/** Instances by id and key. */
export interface InstanceRepository {
  /**
   * Records a request; one that ended or failed under the same id is forgotten.
   * @throws StoreError STORE_CONFLICT when the id is in use
   */
  create(instance: NewInstance): Promise<void>;
  find(id: string): Promise<StoredInstance | undefined>;
  findByKey(key: string): Promise<StoredInstance | undefined>;
  findByIdempotencyKey(key: string): Promise<StoredInstance | undefined>;
  /** Newest first. */
  list(): Promise<StoredInstance[]>;
  /** @returns whether the instance was in one of the states it may come from */
  move(
    key: string,
    from: readonly StoredInstanceState[],
    to: StoredInstanceState,
    at: string,
    change?: InstanceChange,
  ): Promise<boolean>;
  loads(key: string): Promise<Load[]>;
  markLoaded(key: string, path: string): Promise<void>;
  remove(key: string, at: string): Promise<void>;
  /**
   * Takes or renews the sole right to work on an instance, until a time.
   * @returns false when another has it
   */
  claim(key: string, owner: string, times: { now: string; until: string }): Promise<boolean>;
  release(key: string, owner: string): Promise<void>;
  /** Frees what an earlier process left claimed; only for one that is alone on its database. */
  releaseAll(): Promise<void>;
  /** Forgets ended and failed instances not changed since. */
  forget(before: string): Promise<number>;
}

const OVER: readonly StoredInstanceState[] = ["ended", "failed"];

/** Instances in a database. */
export function instanceRepository(db: Kysely<Tables>, events: EventLog): InstanceRepository {
  const findBy = async (column: "id" | "key" | "idempotency_key", value: string) => {
    const row = await db
      .selectFrom("instances")
      .selectAll()
      .where(column, "=", value)
      .executeTakeFirst();
    return row === undefined ? undefined : instanceOf(row);
  };
  return {
    create: (instance) => createInstance(db, events, instance),
    find: (id) => findBy("id", id),
    findByKey: (key) => findBy("key", key),
    findByIdempotencyKey: (key) => findBy("idempotency_key", key),
    async list() {
      const rows = await db
        .selectFrom("instances")
        .selectAll()
        .orderBy("created_at", "desc")
        .orderBy("key")
        .execute();
      return rows.map(instanceOf);
    },
    async move(key, from, to, at, change = {}) {
      return await db.transaction().execute(async (transaction) => {
        const moved = await transaction
          .updateTable("instances")
          .set({ state: to, updated_at: at, ...columnsOf(change) })
          .where("key", "=", key)
          .where("state", "in", from)
          .returning(["id", "reason"])
          .executeTakeFirst();
        if (moved === undefined) return false;
        await events.add(transaction, {
          kind: "instance",
          subject: moved.id,
          state: to,
          at,
          ...(moved.reason === null ? {} : { reason: moved.reason }),
        });
        return true;
      });
    },
    async loads(key) {
      const rows = await db
        .selectFrom("loads")
        .selectAll()
        .where("instance_key", "=", key)
        .orderBy("priority")
        .orderBy("position")
        .execute();
      return rows.map(({ path, sha256, size, priority, position, loaded }) => ({
        path,
        sha256,
        size,
        priority,
        position,
        loaded: loaded === 1,
      }));
    },
    async markLoaded(key, path) {
      await db
        .updateTable("loads")
        .set({ loaded: 1 })
        .where("instance_key", "=", key)
        .where("path", "=", path)
        .execute();
    },
    async remove(key, at) {
      await db.transaction().execute(async (transaction) => {
        const removed = await transaction
          .deleteFrom("instances")
          .where("key", "=", key)
          .returning("id")
          .executeTakeFirst();
        if (removed === undefined) return;
        await events.add(transaction, {
          kind: "instance",
          subject: removed.id,
          state: "removed",
          at,
        });
      });
    },
    async claim(key, owner, { now, until }) {
      const { numUpdatedRows } = await db
        .updateTable("instances")
        .set({ lease_owner: owner, lease_until: until })
        .where("key", "=", key)
        .where(({ or, eb }) =>
          or([
            eb("lease_owner", "is", null),
            eb("lease_owner", "=", owner),
            eb("lease_until", "<", now),
          ]),
        )
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async release(key, owner) {
      await db
        .updateTable("instances")
        .set({ lease_owner: null, lease_until: null })
        .where("key", "=", key)
        .where("lease_owner", "=", owner)
        .execute();
    },
    async releaseAll() {
      await db
        .updateTable("instances")
        .set({ lease_owner: null, lease_until: null })
        .where("lease_owner", "is not", null)
        .execute();
    },
    async forget(before) {
      const { numDeletedRows } = await db
        .deleteFrom("instances")
        .where("state", "in", OVER)
        .where("updated_at", "<", before)
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

async function createInstance(
  db: Kysely<Tables>,
  events: EventLog,
  instance: NewInstance,
): Promise<void> {
  try {
    await db.transaction().execute(async (transaction) => {
      await transaction
        .deleteFrom("instances")
        .where("id", "=", instance.id)
        .where("state", "in", OVER)
        .execute();
      await transaction
        .insertInto("instances")
        .values({
          key: instance.key,
          id: instance.id,
          function_name: instance.functionName,
          function_definition: instance.functionDefinition,
          user_policy: instance.userPolicy,
          state: "requested",
          reason: null,
          final_state: null,
          request_key: instance.requestKey,
          policy: null,
          keep_name: null,
          keep_hash: null,
          created_at: instance.createdAt,
          updated_at: instance.createdAt,
          idempotency_key: instance.idempotencyKey ?? null,
          lease_owner: instance.lease?.owner ?? null,
          lease_until: instance.lease?.until ?? null,
        })
        .execute();
      await events.add(transaction, {
        kind: "instance",
        subject: instance.id,
        state: "requested",
        at: instance.createdAt,
      });
      const loads = instance.loads.map((load) => ({
        ...load,
        instance_key: instance.key,
        loaded: 0,
      }));
      if (loads.length > 0) await transaction.insertInto("loads").values(loads).execute();
    });
  } catch (cause) {
    if (!isUniqueViolation(cause)) throw cause;
    throw new StoreError("STORE_CONFLICT", `instance ${instance.id} exists already`, { cause });
  }
}

function columnsOf(change: InstanceChange): Partial<InstancesTable> {
  return {
    ...(change.reason === undefined ? {} : { reason: change.reason }),
    ...(change.finalState === undefined ? {} : { final_state: change.finalState }),
    ...(change.policy === undefined ? {} : { policy: change.policy }),
    ...(change.keepName === undefined ? {} : { keep_name: change.keepName }),
    ...(change.keepHash === undefined ? {} : { keep_hash: change.keepHash }),
  };
}

function instanceOf(row: Selectable<InstancesTable>): StoredInstance {
  return {
    key: row.key,
    id: row.id,
    functionName: row.function_name,
    functionDefinition: row.function_definition,
    userPolicy: row.user_policy,
    state: row.state as StoredInstanceState,
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.final_state === null ? {} : { finalState: row.final_state }),
    requestKey: row.request_key,
    ...(row.policy === null ? {} : { policy: row.policy }),
    ...(row.keep_name === null ? {} : { keepName: row.keep_name }),
    ...(row.keep_hash === null ? {} : { keepHash: row.keep_hash }),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...(row.idempotency_key === null ? {} : { idempotencyKey: row.idempotency_key }),
  };
}
