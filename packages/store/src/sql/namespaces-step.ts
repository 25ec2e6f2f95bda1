// The step that brings namespaces, revisions of functions and aliases. What was there before belongs to the namespace
// `default`, and each function that was complete has become its version 1. Tables whose keys change are built anew and
// renamed, children before parents: SQLite can't change constraints, and dropping a parent would take its children along.
import { createHash } from "node:crypto";
import { canonicalJson, type JsonValue } from "@holdfast/core";
import { type CreateTableBuilder, type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

type Database = Kysely<unknown>;
type Builder = CreateTableBuilder<string, never>;

/** The step. */
export const namespacesStep: Migration = {
  async up(db: Database) {
    await makeNamespaces(db);
    await moveFunctions(db);
    await moveInstances(db);
    await moveKeeps(db);
    await moveEvents(db);
  },
};

async function makeNamespaces(db: Database): Promise<void> {
  await db.schema
    .createTable("namespaces")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("quota_functions", "integer")
    .addColumn("quota_instances", "integer")
    .addColumn("quota_bytes", "bigint")
    .addColumn("quota_memory_mib", "integer")
    .addColumn("last_event", "bigint", (column) => column.notNull().defaultTo(0))
    .addColumn("created_at", "text", (column) => column.notNull())
    .execute();
  const now = new Date().toISOString();
  await sql`insert into namespaces (name, last_event, created_at)
    select 'default', coalesce(max(seq), 0), ${now} from events`.execute(db);
}

async function moveFunctions(db: Database): Promise<void> {
  await inNamespace(db.schema.createTable("functions_new") as unknown as Builder)
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("head", "text", (column) => column.notNull())
    .addColumn("draft", "text")
    .addColumn("versions", "integer", (column) => column.notNull())
    .addColumn("registered", "text", (column) => column.notNull())
    .addColumn("created_at", "text", (column) => column.notNull())
    .addColumn("idempotency_key", "text")
    .addUniqueConstraint("functions_name", ["namespace", "name"])
    .addUniqueConstraint("functions_request", ["namespace", "idempotency_key"])
    .execute();
  await db.schema
    .createTable("revisions")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("function_id", "text", (column) =>
      column.notNull().references("functions_new.id").onDelete("cascade"),
    )
    .addColumn("definition", "text", (column) => column.notNull())
    .addColumn("digest", "text", (column) => column.notNull())
    .addColumn("file_count", "integer", (column) => column.notNull())
    .addColumn("version", "integer")
    .addColumn("created_at", "text", (column) => column.notNull())
    .addUniqueConstraint("revisions_version", ["function_id", "version"])
    .execute();
  await db.schema
    .createTable("files_new")
    .addColumn("revision_id", "text", (column) =>
      column.notNull().references("revisions.id").onDelete("cascade"),
    )
    .addColumn("path", "text", (column) => column.notNull())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("sha256", "text", (column) => column.notNull())
    .addColumn("size", "bigint", (column) => column.notNull())
    .addColumn("stored_at", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("files_path", ["revision_id", "path"])
    .execute();
  await moveDefinitions(db);
  // A function's only revision has the function's own id.
  await sql`insert into files_new (revision_id, path, kind, sha256, size, stored_at)
    select function_id, path, kind, sha256, size, stored_at from files`.execute(db);
  await db.schema.dropTable("files").execute();
  await db.schema.dropTable("functions").execute();
  await db.schema.alterTable("functions_new").renameTo("functions").execute();
  await db.schema.alterTable("files_new").renameTo("files").execute();
  await db.schema.createIndex("files_sha256").on("files").column("sha256").execute();
  await db.schema
    .createTable("aliases")
    .addColumn("function_id", "text", (column) =>
      column.notNull().references("functions.id").onDelete("cascade"),
    )
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("revision_id", "text", (column) => column.notNull().references("revisions.id"))
    .addColumn("updated_at", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("aliases_name", ["function_id", "name"])
    .execute();
  await db.schema.createIndex("aliases_revision").on("aliases").column("revision_id").execute();
}

interface OldFunction {
  readonly id: string;
  readonly name: string;
  readonly definition: string;
  readonly created_at: string;
  readonly idempotency_key: string | null;
  readonly stored: number | string;
}

async function moveDefinitions(db: Database): Promise<void> {
  const { rows } = await sql<OldFunction>`
    select functions.*, (select count(*) from files where files.function_id = functions.id) as stored
    from functions`.execute(db);
  for (const { id, name, definition, created_at, idempotency_key, stored } of rows) {
    const { programs, data_files = [] } = JSON.parse(definition) as Definition;
    const count = programs.length + data_files.length;
    const text = canonicalJson(JSON.parse(definition) as JsonValue);
    const digest = createHash("sha256").update(text).digest("hex");
    const isComplete = Number(stored) === count;
    await sql`insert into functions_new
      (namespace, id, name, head, versions, registered, created_at, idempotency_key) values
      ('default', ${id}, ${name}, ${id}, ${isComplete ? 1 : 0}, ${digest}, ${created_at}, ${idempotency_key})
    `.execute(db);
    await sql`insert into revisions
      (id, function_id, definition, digest, file_count, version, created_at) values
      (${id}, ${id}, ${definition}, ${digest}, ${count}, ${isComplete ? 1 : null}, ${created_at})
    `.execute(db);
  }
}

interface Definition {
  readonly programs: readonly unknown[];
  readonly data_files?: readonly unknown[];
}

async function moveInstances(db: Database): Promise<void> {
  await inNamespace(db.schema.createTable("instances_new") as unknown as Builder)
    .addColumn("key", "text", (column) => column.primaryKey())
    .addColumn("id", "text", (column) => column.notNull())
    .addColumn("function_name", "text", (column) => column.notNull())
    .addColumn("function_definition", "text", (column) => column.notNull())
    .addColumn("revision_id", "text")
    .addColumn("version", "integer")
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
    .addColumn("idempotency_key", "text")
    .addColumn("lease_owner", "text")
    .addColumn("lease_until", "text")
    .addUniqueConstraint("instances_id", ["namespace", "id"])
    .addUniqueConstraint("instances_request", ["namespace", "idempotency_key"])
    .execute();
  await db.schema
    .createTable("loads_new")
    .addColumn("instance_key", "text", (column) =>
      column.notNull().references("instances_new.key").onDelete("cascade"),
    )
    .addColumn("path", "text", (column) => column.notNull())
    .addColumn("sha256", "text", (column) => column.notNull())
    .addColumn("size", "bigint", (column) => column.notNull())
    .addColumn("priority", "bigint", (column) => column.notNull())
    .addColumn("position", "integer", (column) => column.notNull())
    .addColumn("loaded", "integer", (column) => column.notNull().defaultTo(0))
    .addPrimaryKeyConstraint("loads_path", ["instance_key", "path"])
    .execute();
  const columns = sql.raw(`key, id, function_name, function_definition, user_policy, state, reason,
    final_state, request_key, policy, keep_name, keep_hash, created_at, updated_at,
    idempotency_key, lease_owner, lease_until`);
  await sql`insert into instances_new (namespace, ${columns})
    select 'default', ${columns} from instances`.execute(db);
  // A function never changed: an instance of its very definition is of its only revision.
  await sql`update instances_new set
    revision_id = (${ofRevision("id")}), version = (${ofRevision("version")})`.execute(db);
  await sql`insert into loads_new (instance_key, path, sha256, size, priority, position, loaded)
    select instance_key, path, sha256, size, priority, position, loaded from loads`.execute(db);
  await db.schema.dropTable("loads").execute();
  await db.schema.dropTable("instances").execute();
  await db.schema.alterTable("instances_new").renameTo("instances").execute();
  await db.schema.alterTable("loads_new").renameTo("loads").execute();
  await db.schema.createIndex("loads_sha256").on("loads").column("sha256").execute();
  await db.schema.createIndex("instances_revision").on("instances").column("revision_id").execute();
}

function ofRevision(column: "id" | "version") {
  return sql`select revisions.${sql.ref(column)} from revisions
    inner join functions on functions.id = revisions.function_id
    where functions.name = instances_new.function_name
    and revisions.definition = instances_new.function_definition`;
}

async function moveKeeps(db: Database): Promise<void> {
  await inNamespace(db.schema.createTable("keeps_new") as unknown as Builder)
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("node", "text", (column) => column.notNull())
    .addColumn("host", "text", (column) => column.notNull())
    .addColumn("port", "integer")
    .addColumn("instance_id", "text")
    .addColumn("instance_hash", "text", (column) => column.notNull())
    .addColumn("request_key", "text")
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
    .addUniqueConstraint("keeps_request", ["namespace", "request_key"])
    .execute();
  const columns = sql.raw(`id, name, node, host, port, instance_id, instance_hash, request_key,
    request_hash, policy, state, reason, max_memory_mib, pid, pid_mark, keep_pid, keep_pid_mark,
    platform, simulated, measurement, created_at, updated_at`);
  await sql`insert into keeps_new (namespace, ${columns})
    select 'default', ${columns} from keeps`.execute(db);
  await db.schema.dropTable("keeps").execute();
  await db.schema.alterTable("keeps_new").renameTo("keeps").execute();
  // Ports are the machine's: no two namespaces share one.
  await db.schema
    .createIndex("keeps_port")
    .on("keeps")
    .columns(["host", "port"])
    .unique()
    .execute();
  await db.schema.createIndex("keeps_hash").on("keeps").column("instance_hash").execute();
}

/** Each namespace numbers its own events: nobody counts what happens elsewhere. */
async function moveEvents(db: Database): Promise<void> {
  await db.schema
    .createTable("events_new")
    .addColumn("namespace", "text", (column) =>
      column.notNull().references("namespaces.name").onDelete("cascade"),
    )
    .addColumn("seq", "bigint", (column) => column.notNull())
    .addColumn("at", "text", (column) => column.notNull())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("reason", "text")
    .addPrimaryKeyConstraint("events_number", ["namespace", "seq"])
    .execute();
  await sql`insert into events_new (namespace, seq, at, kind, subject, state, reason)
    select 'default', seq, at, kind, subject, state, reason from events`.execute(db);
  await db.schema.dropTable("events").execute();
  await db.schema.alterTable("events_new").renameTo("events").execute();
}

function inNamespace(builder: Builder): CreateTableBuilder<string, string> {
  return builder.addColumn("namespace", "text", (column) =>
    column.notNull().references("namespaces.name"),
  ) as unknown as CreateTableBuilder<string, string>;
}
