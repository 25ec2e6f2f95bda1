// Keeps and the ports and memory they hold. A port is held by one row at a time: the database itself says so.
import type { Kysely, Selectable, Transaction } from "kysely";
import type { Changes } from "./change.ts";
import { StoreError } from "./errors.ts";
import type { NewEvent } from "./events.ts";
import { OVER, refuseOver } from "./quotas.ts";
import type { Engine } from "./sql/engine.ts";
import type { KeepsTable, Tables } from "./sql/tables.ts";
import { isUniqueViolation } from "./sql/violations.ts";

/** How a keep stands. */
export type StoredKeepState =
  | "requested"
  | "starting"
  | "attested"
  | "serving"
  | "ending"
  | "ended"
  | "failed";

/** A process, and a mark that tells it from a later one of the same number. */
export interface ProcessRecord {
  readonly pid: number;
  readonly mark: string;
}

/** A keep's record. */
export interface StoredKeep {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  /** Which launcher has it. */
  readonly node: string;
  readonly host: string;
  /** Absent once it is free again. */
  readonly port?: number;
  readonly instanceId?: string;
  readonly instanceHash: string;
  readonly requestKey?: string;
  /** Digest of what was asked: one key must not stand for two requests. */
  readonly requestHash: string;
  readonly policy: string;
  readonly state: StoredKeepState;
  readonly reason?: string;
  readonly maxMemoryMib: number;
  readonly loader?: ProcessRecord;
  readonly keep?: ProcessRecord;
  readonly platform?: string;
  readonly simulated?: boolean;
  readonly measurement?: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What a new keep needs. */
export interface NewKeep {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  /** Which launcher has it. */
  readonly node: string;
  readonly host: string;
  readonly port: number;
  readonly instanceId?: string;
  readonly instanceHash: string;
  readonly requestKey?: string;
  readonly requestHash: string;
  readonly policy: string;
  readonly maxMemoryMib: number;
  readonly createdAt: string;
}

/** What may change along with the state. */
export interface KeepChange {
  readonly reason?: string;
  readonly loader?: ProcessRecord;
  readonly keep?: ProcessRecord;
  readonly platform?: string;
  readonly simulated?: boolean;
  readonly measurement?: string;
}

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
  list(): Promise<StoredKeep[]>;
  /** Those of `list` that are not over. */
  living(): Promise<StoredKeep[]>;
  /** Those of a namespace, newest first, those that are over included. */
  listIn(namespace: string): Promise<StoredKeep[]>;
  /** Those of `listIn` that are not over. */
  livingIn(namespace: string): Promise<StoredKeep[]>;
  /** The newest of an instance hash, which others may have had before. */
  findByHash(namespace: string, instanceHash: string): Promise<StoredKeep | undefined>;
  usedPorts(host: string): Promise<Set<number>>;
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
    list: async () => (await newestFirst().execute()).map(keepOf),
    living: async () => (await newestFirst().where("state", "not in", OVER).execute()).map(keepOf),
    listIn: async (namespace) => (await inside(namespace).execute()).map(keepOf),
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
        await transaction
          .insertInto("keeps")
          .values({ ...emptyRow, ...rowOf(keep) })
          .execute();
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

const emptyRow = {
  state: "requested",
  reason: null,
  pid: null,
  pid_mark: null,
  keep_pid: null,
  keep_pid_mark: null,
  platform: null,
  simulated: null,
  measurement: null,
};

function rowOf(keep: NewKeep): Omit<KeepsTable, keyof typeof emptyRow> {
  return {
    id: keep.id,
    namespace: keep.namespace,
    name: keep.name,
    node: keep.node,
    host: keep.host,
    port: keep.port,
    instance_id: keep.instanceId ?? null,
    instance_hash: keep.instanceHash,
    request_key: keep.requestKey ?? null,
    request_hash: keep.requestHash,
    policy: keep.policy,
    max_memory_mib: keep.maxMemoryMib,
    created_at: keep.createdAt,
    updated_at: keep.createdAt,
  };
}

function columnsOf(change: KeepChange): Partial<KeepsTable> {
  return {
    ...(change.reason === undefined ? {} : { reason: change.reason }),
    ...(change.loader === undefined
      ? {}
      : { pid: change.loader.pid, pid_mark: change.loader.mark }),
    ...(change.keep === undefined
      ? {}
      : { keep_pid: change.keep.pid, keep_pid_mark: change.keep.mark }),
    ...(change.platform === undefined ? {} : { platform: change.platform }),
    ...(change.simulated === undefined ? {} : { simulated: change.simulated ? 1 : 0 }),
    ...(change.measurement === undefined ? {} : { measurement: change.measurement }),
  };
}

function keepOf(row: Selectable<KeepsTable>): StoredKeep {
  const loader = processOf(row.pid, row.pid_mark);
  const keep = processOf(row.keep_pid, row.keep_pid_mark);
  return {
    id: row.id,
    namespace: row.namespace,
    name: row.name,
    node: row.node,
    host: row.host,
    ...(row.port === null ? {} : { port: row.port }),
    ...(row.instance_id === null ? {} : { instanceId: row.instance_id }),
    instanceHash: row.instance_hash,
    ...(row.request_key === null ? {} : { requestKey: row.request_key }),
    requestHash: row.request_hash,
    policy: row.policy,
    state: row.state as StoredKeepState,
    ...(row.reason === null ? {} : { reason: row.reason }),
    maxMemoryMib: row.max_memory_mib,
    ...(loader === undefined ? {} : { loader }),
    ...(keep === undefined ? {} : { keep }),
    ...(row.platform === null ? {} : { platform: row.platform }),
    ...(row.simulated === null ? {} : { simulated: row.simulated === 1 }),
    ...(row.measurement === null ? {} : { measurement: row.measurement }),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function processOf(pid: number | null, mark: string | null): ProcessRecord | undefined {
  return pid === null || mark === null ? undefined : { pid, mark };
}
