// Instances of functions. A state changes only from a state that allows it, so that a creation that ends late never
// overwrites a deletion that began in the meantime.
import type { Kysely, Selectable } from "kysely";
import type { Change, Changes } from "./change.ts";
import { StoreError } from "./errors.ts";
import { type InstanceLists, instanceLists } from "./instance-lists.ts";
import { OVER, refuseOver } from "./quotas.ts";
import type { Engine } from "./sql/engine.ts";
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
  readonly namespace: string;
  readonly id: string;
  readonly functionName: string;
  readonly functionDefinition: string;
  /** The revision it is made of, and its version when it has one; unknown of instances of earlier releases. */
  readonly revisionId?: string;
  readonly version?: number;
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

/** Bytes of all loads of an instance, and of those that its keep has. */
export interface LoadProgress {
  readonly bytes: number;
  readonly loadedBytes: number;
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
  /** Who changes it: refused unless he has the lease. */
  readonly by?: string;
}

/** Instances by id and key. */
export interface InstanceRepository extends InstanceLists {
  /**
   * Records a request; one that ended or failed under the same id is forgotten.
   * @throws StoreError STORE_CONFLICT when the id is in use, STORE_QUOTA, STORE_NAMESPACE, STORE_GONE when the revision
   *   was removed
   */
  create(instance: NewInstance): Promise<void>;
  find(namespace: string, id: string): Promise<StoredInstance | undefined>;
  findByKey(key: string): Promise<StoredInstance | undefined>;
  findByIdempotencyKey(namespace: string, key: string): Promise<StoredInstance | undefined>;
  /** @returns whether the instance was in one of the states it may come from, and the lease that of who changes it */
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

/** States that nobody is told of who could not find out otherwise. */
const ON_THE_WAY: readonly StoredInstanceState[] = ["starting", "attested", "provisioning"];

/** Instances in a database. */
export function instanceRepository(
  db: Kysely<Tables>,
  engine: Engine,
  changes: Changes,
): InstanceRepository {
  const select = () => db.selectFrom("instances").selectAll();
  const only = (row: Selectable<InstancesTable> | undefined): StoredInstance | undefined =>
    row === undefined ? undefined : instanceOf(row);
  const namespaceOf = (key: string) =>
    db.selectFrom("instances").select("namespace").where("key", "=", key).$asScalar();
  return {
    ...instanceLists(db),
    create: (instance) => createInstance(changes, instance),
    find: async (namespace, id) =>
      only(
        await select().where("namespace", "=", namespace).where("id", "=", id).executeTakeFirst(),
      ),
    findByKey: async (key) => only(await select().where("key", "=", key).executeTakeFirst()),
    findByIdempotencyKey: async (namespace, key) =>
      only(
        await select()
          .where("namespace", "=", namespace)
          .where("idempotency_key", "=", key)
          .executeTakeFirst(),
      ),
    async move(key, from, to, at, change = {}) {
      const done = await changes.in(
        namespaceOf(key),
        async ({ transaction, record }) => {
          let update = transaction
            .updateTable("instances")
            .set({ state: to, updated_at: at, ...columnsOf(change) })
            .where("key", "=", key)
            .where("state", "in", from);
          if (change.by !== undefined) update = update.where("lease_owner", "=", change.by);
          const moved = await update.returning(["id", "reason"]).executeTakeFirst();
          if (moved === undefined) return false;
          await record({
            kind: "instance",
            subject: moved.id,
            state: to,
            at,
            ...(moved.reason === null ? {} : { reason: moved.reason }),
          });
          return true;
        },
        { passing: ON_THE_WAY.includes(to) },
      );
      return done ?? false;
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
      const update = (connection: Kysely<Tables>) =>
        connection
          .updateTable("loads")
          .set({ loaded: 1 })
          .where("instance_key", "=", key)
          .where("path", "=", path)
          .execute();
      await engine.passing(db, update);
    },
    async remove(key, at) {
      await changes.in(namespaceOf(key), async ({ transaction, record }) => {
        const removed = await transaction
          .deleteFrom("instances")
          .where("key", "=", key)
          .returning("id")
          .executeTakeFirst();
        if (removed === undefined) return;
        await record({ kind: "instance", subject: removed.id, state: "removed", at });
      });
    },
    async claim(key, owner, { now, until }) {
      const update = (connection: Kysely<Tables>) =>
        connection
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
      const { numUpdatedRows } = await engine.passing(db, update);
      return numUpdatedRows > 0n;
    },
    async release(key, owner) {
      const update = (connection: Kysely<Tables>) =>
        connection
          .updateTable("instances")
          .set({ lease_owner: null, lease_until: null })
          .where("key", "=", key)
          .where("lease_owner", "=", owner)
          .execute();
      await engine.passing(db, update);
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

async function createInstance(changes: Changes, instance: NewInstance): Promise<void> {
  const { namespace, id } = instance;
  try {
    const made = await changes.in(namespace, (change) => insertInstance(change, instance));
    if (made) return;
  } catch (cause) {
    if (!isUniqueViolation(cause)) throw cause;
    throw new StoreError("STORE_CONFLICT", `instance ${id} exists already`, { cause });
  }
  throw new StoreError("STORE_NAMESPACE", `there is no namespace ${namespace}`);
}

async function insertInstance(change: Change, instance: NewInstance): Promise<true> {
  const { transaction } = change;
  const { namespace, id, key, revisionId } = instance;
  if (revisionId !== undefined) await refuseGone(change, instance.functionName, revisionId);
  await transaction
    .deleteFrom("instances")
    .where("namespace", "=", namespace)
    .where("id", "=", id)
    .where("state", "in", OVER)
    .execute();
  await transaction.insertInto("instances").values(rowOf(instance)).execute();
  await refuseOver(change, "instances", 1);
  const at = instance.createdAt;
  await change.record({ kind: "instance", subject: id, state: "requested", at });
  const loads = instance.loads.map((load) => ({ ...load, instance_key: key, loaded: 0 }));
  if (loads.length > 0) await transaction.insertInto("loads").values(loads).execute();
  return true;
}

/** What is to be loaded is kept for the instance from here on, and for its revision until here. */
async function refuseGone({ transaction }: Change, name: string, id: string): Promise<void> {
  const found = await transaction
    .selectFrom("revisions")
    .select("id")
    .where("id", "=", id)
    .executeTakeFirst();
  if (found === undefined) {
    throw new StoreError("STORE_GONE", `function ${name} was changed or removed meanwhile`);
  }
}

function rowOf(instance: NewInstance): InstancesTable {
  return {
    key: instance.key,
    namespace: instance.namespace,
    id: instance.id,
    function_name: instance.functionName,
    function_definition: instance.functionDefinition,
    revision_id: instance.revisionId ?? null,
    version: instance.version ?? null,
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
  };
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

/** An instance from its row. */
export function instanceOf(row: Selectable<InstancesTable>): StoredInstance {
  return {
    key: row.key,
    namespace: row.namespace,
    id: row.id,
    functionName: row.function_name,
    functionDefinition: row.function_definition,
    ...(row.revision_id === null ? {} : { revisionId: row.revision_id }),
    ...(row.version === null ? {} : { version: row.version }),
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
