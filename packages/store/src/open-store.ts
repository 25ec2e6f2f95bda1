// One door to everything that is kept: records in a database, bytes on the disk or in a bucket of S3.
import { join } from "node:path";
import { Kysely, sql } from "kysely";
import { blobHolds } from "./blobs/blob-holds.ts";
import type { BlobPlace } from "./blobs/blob-place.ts";
import { type BlobStore, blobStore } from "./blobs/blob-store.ts";
import { openDiskBlobs } from "./blobs/disk-blobs.ts";
import type { S3Place } from "./blobs/s3-blobs.ts";
import { changesOf } from "./change.ts";
import { makeFolder } from "./durable-folder.ts";
import { type EventRepository, eventLog } from "./events.ts";
import { type FunctionRepository, functionRepository } from "./functions.ts";
import { type InstanceRepository, instanceRepository } from "./instances.ts";
import { type KeepRepository, keepRepository } from "./keeps.ts";
import { type NamespaceRepository, namespaceRepository } from "./namespaces.ts";
import { postgresEngine, sqliteEngine } from "./sql/engine.ts";
import { migrate } from "./sql/migrations.ts";

import type { Tables } from "./sql/tables.ts";

/** Everything that is kept. */
export interface Store {
  readonly namespaces: NamespaceRepository;
  readonly functions: FunctionRepository;
  readonly instances: InstanceRepository;
  readonly keeps: KeepRepository;
  readonly events: EventRepository;
  readonly blobs: BlobStore;
  /** Other processes may work on the same records. */
  readonly isShared: boolean;
  /** @throws when the database does not answer */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Where the store is. */
export interface StoreOptions {
  /** For blobs, and for the database file, unless they are elsewhere. */
  readonly directory: string;
  /** PostgreSQL instead of a file: `postgres://...`. */
  readonly databaseUrl?: string;
  /** A bucket for blobs instead of the directory. */
  readonly bucket?: S3Place;
}

/** Opens the store, making directory and schema when they are not there. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { directory, databaseUrl } = options;
  await makeFolder(directory);
  const engine =
    databaseUrl === undefined
      ? sqliteEngine(join(directory, "holdfast.db"))
      : await postgresEngine(databaseUrl);
  const db = new Kysely<Tables>({ dialect: engine.dialect });
  await migrate(db, engine.name);
  const events = eventLog(db);
  const changes = changesOf(db, engine, events);
  const place = await openPlace(options);
  return {
    namespaces: namespaceRepository(db),
    functions: functionRepository(db, changes),
    instances: instanceRepository(db, engine, changes),
    keeps: keepRepository(db, engine, changes),
    events,
    blobs: blobStore(place, blobHolds(db, engine)),
    isShared: engine.isShared,
    async check() {
      await sql`select 1`.execute(db);
    },
    close: () => db.destroy(),
  };
}

/** The SDK is loaded only where there is a bucket. */
async function openPlace({ bucket, directory }: StoreOptions): Promise<BlobPlace> {
  if (bucket === undefined) return await openDiskBlobs(join(directory, "blobs"));
  const { s3Blobs } = await import("./blobs/s3-blobs.ts");
  return s3Blobs(bucket);
}
