// One door to everything that is kept: records in a database, bytes on the disk.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Kysely, sql } from "kysely";
import { type BlobStore, openBlobStore } from "./blobs.ts";
import { type FunctionRepository, functionRepository } from "./functions.ts";
import { type InstanceRepository, instanceRepository } from "./instances.ts";
import { type KeepRepository, keepRepository } from "./keeps.ts";
import { migrate } from "./sql/migrations.ts";
import { sqliteDialect } from "./sql/sqlite.ts";
import type { Tables } from "./sql/tables.ts";

/** Everything that is kept. */
export interface Store {
  readonly functions: FunctionRepository;
  readonly instances: InstanceRepository;
  readonly keeps: KeepRepository;
  readonly blobs: BlobStore;
  /** Removes blobs that no function and no unfinished instance needs. */
  collectBlobs(): Promise<number>;
  /** @throws when the database does not answer */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the store in a directory, making it and its schema when they are not there. */
export async function openStore(options: { directory: string }): Promise<Store> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const db = new Kysely<Tables>({ dialect: sqliteDialect(join(options.directory, "holdfast.db")) });
  await migrate(db);
  const blobs = await openBlobStore(join(options.directory, "blobs"));
  return {
    functions: functionRepository(db),
    instances: instanceRepository(db),
    keeps: keepRepository(db),
    blobs,
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
