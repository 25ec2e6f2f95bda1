// Instances of functions. A state changes only from a state that allows it, so that a creation that ends late never
// overwrites a deletion that began in the meantime.
import type { Kysely, Selectable } from "kysely";
import { StoreError } from "./errors.ts";
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
  remove(key: string): Promise<void>;
  /** Forgets ended and failed instances not changed since. */
  forget(before: string): Promise<number>;
}

const OVER: readonly StoredInstanceState[] = ["ended", "failed"];

/** Instances in a database. */
export function instanceRepository(db: Kysely<Tables>): InstanceRepository {
  return {
    create: (instance) => createInstance(db, instance),
    async find(id) {
      const row = await db
        .selectFrom("instances")
        .selectAll()
        .where("id", "=", id)
        .executeTakeFirst();
      return row === undefined ? undefined : instanceOf(row);
    },
    async findByKey(key) {
      const row = await db
        .selectFrom("instances")
        .selectAll()
        .where("key", "=", key)
        .executeTakeFirst();
      return row === undefined ? undefined : instanceOf(row);
    },
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
      const { numUpdatedRows } = await db
        .updateTable("instances")
        .set({
          state: to,
          updated_at: at,
          ...(change.reason === undefined ? {} : { reason: change.reason }),
          ...(change.finalState === undefined ? {} : { final_state: change.finalState }),
          ...(change.policy === undefined ? {} : { policy: change.policy }),
          ...(change.keepName === undefined ? {} : { keep_name: change.keepName }),
          ...(change.keepHash === undefined ? {} : { keep_hash: change.keepHash }),
        })
        .where("key", "=", key)
        .where("state", "in", from)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
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
    async remove(key) {
      await db.deleteFrom("instances").where("key", "=", key).execute();
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

async function createInstance(db: Kysely<Tables>, instance: NewInstance): Promise<void> {
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
        })
        .execute();
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
  };
}
