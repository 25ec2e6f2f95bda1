// Keeps and the ports and memory they hold. A port is held by one row at a time: the database itself says so.
import type { Kysely, Selectable } from "kysely";
import { StoreError } from "./errors.ts";
import type { EventLog, NewEvent } from "./events.ts";
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
   * @throws StoreError STORE_CONFLICT when the port or the request key is taken, STORE_FULL when memory is used up
   */
  create(keep: NewKeep, budgetMib?: number): Promise<void>;
  find(id: string): Promise<StoredKeep | undefined>;
  findByRequestKey(key: string): Promise<StoredKeep | undefined>;
  /** Newest first, those that are over included. */
  list(): Promise<StoredKeep[]>;
  /** Newest first, those that are not over. */
  living(): Promise<StoredKeep[]>;
  /** The newest of an instance hash, which others may have had before. */
  findByHash(instanceHash: string): Promise<StoredKeep | undefined>;
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

const OVER: readonly StoredKeepState[] = ["ended", "failed"];

/** Keeps in a database. */
export function keepRepository(
  db: Kysely<Tables>,
  engine: Engine,
  events: EventLog,
): KeepRepository {
  const findBy = async (column: "id" | "request_key", value: string) => {
    const row = await db
      .selectFrom("keeps")
      .selectAll()
      .where(column, "=", value)
      .executeTakeFirst();
    return row === undefined ? undefined : keepOf(row);
  };
  return {
    create: (keep, budgetMib) => createKeep(db, engine, events, keep, budgetMib),
    find: (id) => findBy("id", id),
    findByRequestKey: (key) => findBy("request_key", key),
    async list() {
      const rows = await db
        .selectFrom("keeps")
        .selectAll()
        .orderBy("created_at", "desc")
        .orderBy("id")
        .execute();
      return rows.map(keepOf);
    },
    async living() {
      const rows = await db
        .selectFrom("keeps")
        .selectAll()
        .where("state", "not in", OVER)
        .orderBy("created_at", "desc")
        .orderBy("id")
        .execute();
      return rows.map(keepOf);
    },
    async findByHash(instanceHash) {
      const row = await db
        .selectFrom("keeps")
        .selectAll()
        .where("instance_hash", "=", instanceHash)
        .orderBy("created_at", "desc")
        .orderBy("id")
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
      return await db.transaction().execute(async (transaction) => {
        const moved = await transaction
          .updateTable("keeps")
          .set(set)
          .where("id", "=", id)
          .where("state", "in", from)
          .returning(["instance_hash", "reason"])
          .executeTakeFirst();
        if (moved !== undefined) await events.add(transaction, eventOf(moved, to, at));
        return moved !== undefined;
      });
    },
    async close(id, state, reason, at) {
      const set = { state, reason, port: null, request_key: null, updated_at: at };
      return await db.transaction().execute(async (transaction) => {
        const closed = await transaction
          .updateTable("keeps")
          .set(set)
          .where("id", "=", id)
          .where("state", "not in", OVER)
          .returning(["instance_hash", "reason"])
          .executeTakeFirst();
        if (closed !== undefined) await events.add(transaction, eventOf(closed, state, at));
        return closed !== undefined;
      });
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
  db: Kysely<Tables>,
  engine: Engine,
  events: EventLog,
  keep: NewKeep,
  budgetMib?: number,
): Promise<void> {
  try {
    await db.transaction().execute(async (transaction) => {
      if (budgetMib !== undefined) await engine.lockSums(transaction);
      await transaction
        .insertInto("keeps")
        .values({ ...emptyRow, ...rowOf(keep) })
        .execute();
      const made = { instance_hash: keep.instanceHash, reason: null };
      await events.add(transaction, eventOf(made, "requested", keep.createdAt));
      if (budgetMib === undefined) return;
      const { used } = await transaction
        .selectFrom("keeps")
        .select(({ fn }) => fn.sum<number>("max_memory_mib").as("used"))
        .where("node", "=", keep.node)
        .where("state", "not in", OVER)
        .executeTakeFirstOrThrow();
      if (Number(used) > budgetMib) {
        const free = budgetMib - Number(used) + keep.maxMemoryMib;
        throw new StoreError(
          "STORE_FULL",
          `${keep.maxMemoryMib} MiB asked, ${free} of ${budgetMib} MiB are free`,
        );
      }
    });
  } catch (cause) {
    if (!isUniqueViolation(cause)) throw cause;
    throw new StoreError("STORE_CONFLICT", `port ${keep.port} or the request key is taken`, {
      cause,
    });
  }
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
