// What is recorded of a keep, and how a row of the database says it.
import type { Selectable } from "kysely";
import type { KeepsTable } from "./sql/tables.ts";

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

/** A keep in a list: its record without the policy, which is most of it. */
export interface KeepEntry {
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

/** A keep's record. */
export interface StoredKeep extends KeepEntry {
  readonly policy: string;
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

/** Columns of an entry: all but the policy. */
export const ENTRY_COLUMNS = [
  "id",
  "namespace",
  "name",
  "node",
  "host",
  "port",
  "instance_id",
  "instance_hash",
  "request_key",
  "request_hash",
  "state",
  "reason",
  "max_memory_mib",
  "pid",
  "pid_mark",
  "keep_pid",
  "keep_pid_mark",
  "platform",
  "simulated",
  "measurement",
  "created_at",
  "updated_at",
] as const;

/** What a new keep does not have yet. */
const EMPTY = {
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

/** The row of a new keep. */
export function rowOf(keep: NewKeep): KeepsTable {
  return {
    ...EMPTY,
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

/** The columns that a change sets. */
export function columnsOf(change: KeepChange): Partial<KeepsTable> {
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

/** A keep from its row. */
export function keepOf(row: Selectable<KeepsTable>): StoredKeep {
  return { ...entryOf(row), policy: row.policy };
}

/** A keep in a list from its row. */
export function entryOf(row: Omit<Selectable<KeepsTable>, "policy">): KeepEntry {
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
