// One door to everything that is kept: records in a database, bytes on the disk.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Kysely, sql } from "kysely";
import { type BlobStore, openBlobStore } from "./blobs.ts";
import { type EventRepository, eventLog } from "./events.ts";
import { type FunctionRepository, functionRepository } from "./functions.ts";
import { type InstanceRepository, instanceRepository } from "./instances.ts";
import { type KeepRepository, keepRepository } from "./keeps.ts";
import { postgresEngine, sqliteEngine } from "./sql/engine.ts";
import { migrate } from "./sql/migrations.ts";

import type { Tables } from "./sql/tables.ts";

/** Everything that is kept. */
export interface Store {
  readonly functions: FunctionRepository;
  readonly instances: InstanceRepository;
  readonly keeps: KeepRepository;
  readonly events: EventRepository;
  readonly blobs: BlobStore;
  /** Other processes may work on the same records. */
  readonly isShared: boolean;
  /** Removes blobs that no function and no unfinished instance needs. */
  collectBlobs(): Promise<number>;
  /** @throws when the database does not answer */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Where the store is. */
export interface StoreOptions {
  /** For blobs, and for the database file unless a URL says otherwise. */
  readonly directory: string;
  /** PostgreSQL instead of a file: `postgres://...`. */
  readonly databaseUrl?: string;
  /** How long a blob that nobody needs is left alone, because another process may be about to link it. */
  readonly blobGraceMs?: number;
}

const SHARED_GRACE_MS = 10 * 60 * 1000;

/** Opens the store, making directory and schema when they are not there. */
export async function openStore({
  directory,
  databaseUrl,
  blobGraceMs,
}: StoreOptions): Promise<Store> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const engine =
    databaseUrl === undefined
      ? sqliteEngine(join(directory, "holdfast.db"))
      : await postgresEngine(databaseUrl);
  const db = new Kysely<Tables>({ dialect: engine.dialect });
  await migrate(db, engine.name);
  const events = eventLog(db);
  const graceMs = blobGraceMs ?? (engine.isShared ? SHARED_GRACE_MS : 0);
  const blobs = await openBlobStore(join(directory, "blobs"), { graceMs });
  return {
    functions: functionRepository(db, events),
    instances: instanceRepository(db, events),
    keeps: keepRepository(db, engine, events),
    events,
    blobs,
    isShared: engine.isShared,
    collectBlobs: () => blobs.collect((sha256) => isNeeded(db, sha256)),
    async check() {
      await sql`select 1`.execute(db);
    },
    close: () => db.destroy(),
  };
}

async function isNeeded(db: Kysely<Tables>, sha256: string): Promise<boolean> {
  const file = await db
    .selectFrom("files")
    .select("path")
    .where("sha256", "=", sha256)
    .executeTakeFirst();
  if (file !== undefined) return true;
  const load = await db
    .selectFrom("loads")
    .innerJoin("instances", "instances.key", "loads.instance_key")
    .select("loads.path")
    .where("loads.sha256", "=", sha256)
    .where("loads.loaded", "=", 0)
    .where("instances.state", "not in", ["ended", "failed", "ready", "ending"])
    .executeTakeFirst();
  return load !== undefined;
}
