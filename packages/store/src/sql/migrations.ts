// The schema as steps that are taken once, in order. A step that was released is never changed: a new one follows.
import { type Kysely, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { namespacesStep } from "./namespaces-step.ts";

/** Engines the schema is written for. */
export type EngineName = "sqlite" | "postgres";

const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-functions": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("functions")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("name", "text", (column) => column.notNull().unique())
        .addColumn("definition", "text", (column) => column.notNull())
        .addColumn("created_at", "text", (column) => column.notNull())
        .execute();
      await db.schema
        .createTable("files")
        .addColumn("function_id", "text", (column) =>
          column.notNull().references("functions.id").onDelete("cascade"),
        )
        .addColumn("path", "text", (column) => column.notNull())
        .addColumn("kind", "text", (column) => column.notNull())
        .addColumn("sha256", "text", (column) => column.notNull())
        .addColumn("size", "bigint", (column) => column.notNull())
        .addColumn("stored_at", "text", (column) => column.notNull())
        .addPrimaryKeyConstraint("files_key", ["function_id", "path"])
        .execute();
      await db.schema.createIndex("files_sha256").on("files").column("sha256").execute();
    },
  },
  "0002-instances": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("instances")
        .addColumn("key", "text", (column) => column.primaryKey())
        .addColumn("id", "text", (column) => column.notNull().unique())
        .addColumn("function_name", "text", (column) => column.notNull())
        .addColumn("function_definition", "text", (column) => column.notNull())
        .addColumn("user_policy", "text", (column) => column.notNull())
        .addColumn("state", "text", (column) => column.notNull())
        .addColumn("reason", "text")
        .addColumn("final_state", "text")
        .addColumn("request_key", "text", (column) => column.notNull())
        .addColumn("policy", "text")
        .addColumn("keep_name", "text")
        .addColumn("keep_hash", "text")
        .addColumn("created_at", "text", (column) => column.notNull())
        .addColumn("updated_at", "text", (column) => column.notNull())
        .execute();
      await db.schema
        .createTable("loads")
        .addColumn("instance_key", "text", (column) =>
          column.notNull().references("instances.key").onDelete("cascade"),
        )
        .addColumn("path", "text", (column) => column.notNull())
        .addColumn("sha256", "text", (column) => column.notNull())
        .addColumn("size", "bigint", (column) => column.notNull())
        .addColumn("priority", "bigint", (column) => column.notNull())
        .addColumn("position", "integer", (column) => column.notNull())
        .addColumn("loaded", "integer", (column) => column.notNull().defaultTo(0))
        .addPrimaryKeyConstraint("loads_key", ["instance_key", "path"])
        .execute();
      await db.schema.createIndex("loads_sha256").on("loads").column("sha256").execute();
    },
  },
  "0003-keeps": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("keeps")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("node", "text", (column) => column.notNull())
        .addColumn("host", "text", (column) => column.notNull())
        .addColumn("port", "integer")
        .addColumn("instance_id", "text")
        .addColumn("instance_hash", "text", (column) => column.notNull())
        .addColumn("request_key", "text", (column) => column.unique())
        .addColumn("request_hash", "text", (column) => column.notNull())
        .addColumn("policy", "text", (column) => column.notNull())
        .addColumn("state", "text", (column) => column.notNull())
        .addColumn("reason", "text")
        .addColumn("max_memory_mib", "integer", (column) => column.notNull())
        .addColumn("pid", "integer")
        .addColumn("pid_mark", "text")
        .addColumn("keep_pid", "integer")
        .addColumn("keep_pid_mark", "text")
        .addColumn("platform", "text")
        .addColumn("simulated", "integer")
        .addColumn("measurement", "text")
        .addColumn("created_at", "text", (column) => column.notNull())
        .addColumn("updated_at", "text", (column) => column.notNull())
        .execute();
      // The port of a keep that is gone is null, and nulls differ: two keeps never hold one port, and no one is blocked.
      await db.schema
        .createIndex("keeps_port")
        .on("keeps")
        .columns(["host", "port"])
        .unique()
        .execute();
      await db.schema.createIndex("keeps_hash").on("keeps").column("instance_hash").execute();
    },
  },
  "0004-idempotency-and-leases": {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable("functions").addColumn("idempotency_key", "text").execute();
      for (const column of ["idempotency_key", "lease_owner", "lease_until"]) {
        await db.schema.alterTable("instances").addColumn(column, "text").execute();
      }
      for (const table of ["functions", "instances"]) {
        await db.schema
          .createIndex(`${table}_idempotency`)
          .on(table)
          .column("idempotency_key")
          .unique()
          .execute();
      }
    },
  },
  "0006-blob-holds": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("blob_holds")
        .addColumn("holder", "text", (column) => column.primaryKey())
        .addColumn("sha256", "text", (column) => column.notNull())
        .addColumn("purpose", "text", (column) => column.notNull())
        .addColumn("until", "text", (column) => column.notNull())
        .execute();
      await db.schema.createIndex("blob_holds_sha256").on("blob_holds").column("sha256").execute();
    },
  },
};

/** Numbers that the database hands out are the one thing engines spell differently. */
function eventsStep(engine: EngineName): Record<string, Migration> {
  return {
    "0005-events": {
      async up(db: Kysely<unknown>) {
        await db.schema
          .createTable("events")
          .addColumn("seq", engine === "sqlite" ? "integer" : "bigint", (column) =>
            engine === "sqlite"
              ? column.primaryKey().autoIncrement()
              : column.generatedAlwaysAsIdentity().primaryKey(),
          )
          .addColumn("at", "text", (column) => column.notNull())
          .addColumn("kind", "text", (column) => column.notNull())
          .addColumn("subject", "text", (column) => column.notNull())
          .addColumn("state", "text", (column) => column.notNull())
          .addColumn("reason", "text")
          .execute();
      },
    },
  };
}

/**
 * Brings a database to the newest schema; does nothing when it is there already.
 * @param last a step to end with, as an earlier release would have
 */
export async function migrate<T>(db: Kysely<T>, engine: EngineName, last?: string): Promise<void> {
  const steps = { ...MIGRATIONS, ...eventsStep(engine), "0007-namespaces": namespacesStep };
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(steps) },
  });
  const { error } = await (last === undefined
    ? migrator.migrateToLatest()
    : migrator.migrateTo(last));
  if (error !== undefined) throw error;
  await sql`select 1`.execute(db);
}
