// Lists of instances. The definitions and policies of instances are most of their records: who is told of all of them is
// not told those.
import type { Kysely } from "kysely";
import {
  instanceOf,
  type LoadProgress,
  type StoredInstance,
  type StoredInstanceState,
} from "./instances.ts";
import { OVER } from "./quotas.ts";
import { countStates } from "./sql/count-states.ts";
import type { Tables } from "./sql/tables.ts";

/** An instance in a list. */
export interface InstanceEntry extends LoadProgress {
  readonly id: string;
  readonly functionName: string;
  readonly version?: number | undefined;
  readonly state: StoredInstanceState;
  readonly reason?: string | undefined;
  readonly keepName?: string | undefined;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Which instances are asked for; all when it names nothing. */
export interface InstanceFilter {
  readonly state?: StoredInstanceState;
  readonly functionName?: string;
}

/** Lists of instances. */
export interface InstanceLists {
  /** Those of all namespaces that have neither ended nor failed: for who looks after them, never for who asks. */
  living(): Promise<StoredInstance[]>;
  /** Those of a namespace. */
  listIn(namespace: string, filter?: InstanceFilter): Promise<InstanceEntry[]>;
  /** Ids of those of a namespace that have neither ended nor failed. */
  livingIds(namespace: string): Promise<string[]>;
  /** How many there are in all namespaces, by state. */
  counts(): Promise<Map<string, number>>;
}

const COLUMNS = [
  "id",
  "function_name",
  "version",
  "state",
  "reason",
  "keep_name",
  "created_at",
  "updated_at",
] as const;

/** Lists of the instances in a database. */
export function instanceLists(db: Kysely<Tables>): InstanceLists {
  return {
    async living() {
      const rows = await db
        .selectFrom("instances")
        .selectAll()
        .where("state", "not in", OVER)
        .execute();
      return rows.map(instanceOf);
    },
    async listIn(namespace, { state, functionName } = {}) {
      let query = selectEntries(db).where("namespace", "=", namespace);
      if (state !== undefined) query = query.where("state", "=", state);
      if (functionName !== undefined) query = query.where("function_name", "=", functionName);
      return (await query.execute()).map(entryOf);
    },
    async livingIds(namespace) {
      const rows = await db
        .selectFrom("instances")
        .select("id")
        .where("namespace", "=", namespace)
        .where("state", "not in", OVER)
        .execute();
      return rows.map(({ id }) => id);
    },
    counts: () => countStates(db, "instances"),
  };
}

function selectEntries(db: Kysely<Tables>) {
  return db
    .selectFrom("instances")
    .select(COLUMNS)
    .select(({ selectFrom }) => {
      const sizes = selectFrom("loads")
        .select(({ fn }) => fn.sum<number>("size").as("sum"))
        .whereRef("instance_key", "=", "instances.key");
      return [sizes.as("bytes"), sizes.where("loaded", "=", 1).as("loaded_bytes")];
    });
}

type Row = Awaited<ReturnType<ReturnType<typeof selectEntries>["execute"]>>[number];

/** Thousands at once: an object for each, and none in between. */
function entryOf(row: Row): InstanceEntry {
  return {
    id: row.id,
    functionName: row.function_name,
    version: row.version ?? undefined,
    state: row.state as StoredInstanceState,
    reason: row.reason ?? undefined,
    keepName: row.keep_name ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    bytes: row.bytes ?? 0,
    loadedBytes: row.loaded_bytes ?? 0,
  };
}
