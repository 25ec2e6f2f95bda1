// Revisions of functions: a definition and its files. A revision that has all of its files becomes a version, under the
// next number, and never changes again; one content is one version. Versions stay until somebody removes them.
import type { Kysely, Selectable } from "kysely";
import { type AliasRepository, aliasRepository } from "./aliases.ts";
import { type Change, type Changes, namespaceOfFunction } from "./change.ts";
import { StoreError } from "./errors.ts";
import { publishWhenComplete, tidy } from "./publish.ts";
import { OVER } from "./quotas.ts";
import { type FileRepository, fileRepository } from "./revision-files.ts";
import type { FunctionsTable, RevisionsTable, Tables } from "./sql/tables.ts";

/** A definition, complete or not. */
export interface StoredRevision {
  readonly id: string;
  readonly functionId: string;
  /** JSON. */
  readonly definition: string;
  /** Lower-case hexadecimal. */
  readonly digest: string;
  /** Its number, once all of its files are stored. */
  readonly version?: number;
  readonly createdAt: string;
}

/** What a new revision needs. */
export interface NewRevision {
  readonly id: string;
  readonly definition: string;
  /** Covers the definition with the digests of its files. */
  readonly digest: string;
  /** All files that the definition names. */
  readonly files: readonly {
    readonly path: string;
    readonly kind: "program" | "data_file";
    readonly sha256: string;
  }[];
}

/** A version, in a list. */
export interface VersionEntry {
  readonly revisionId: string;
  readonly version: number;
  readonly digest: string;
  /** Of all its files together. */
  readonly bytes: number;
  readonly createdAt: string;
}

/** What became of a version that was to be removed. */
export interface VersionRemoval {
  readonly isFound: boolean;
  /** Who needs it; it stays then. */
  readonly neededBy: readonly string[];
}

/** Revisions of functions. */
export interface RevisionRepository extends FileRepository, AliasRepository {
  revision(id: string): Promise<StoredRevision | undefined>;
  /**
   * Begins a new definition of a function. Files that any of its revisions has are taken over; when none is missing it
   * is a version at once, and so is what was a version before.
   * @returns how the revision stands; undefined when the function is gone
   * @throws StoreError STORE_LIMIT
   */
  putDraft(functionId: string, draft: NewRevision, at: string): Promise<StoredRevision | undefined>;
  removeDraft(functionId: string): Promise<boolean>;
  /** In order of numbers. */
  versions(functionId: string): Promise<VersionEntry[]>;
  /** By number, or by digest in lower-case hexadecimal. */
  findVersion(functionId: string, version: number | string): Promise<StoredRevision | undefined>;
  /** Removes a version that neither the name alone, nor an alias, nor a living instance needs. */
  removeVersion(functionId: string, revisionId: string, at: string): Promise<VersionRemoval>;
}

/** How many versions a function may have. */
export const MAXIMUM_VERSIONS = 200;

/** Columns of a revision, for queries that join. */
export const REVISION_COLUMNS = [
  "revisions.id",
  "revisions.function_id",
  "revisions.definition",
  "revisions.digest",
  "revisions.version",
  "revisions.created_at",
] as const;

/** Revisions in a database. */
export function revisionRepository(db: Kysely<Tables>, changes: Changes): RevisionRepository {
  const revisions = () => db.selectFrom("revisions").select(REVISION_COLUMNS);
  return {
    ...fileRepository(db, changes),
    ...aliasRepository(db, changes),
    async revision(id) {
      const row = await revisions().where("id", "=", id).executeTakeFirst();
      return row === undefined ? undefined : revisionOf(row);
    },
    async putDraft(functionId, draft, at) {
      const where = namespaceOfFunction(db, functionId);
      return await changes.in(where, (change) => putDraft(change, functionId, draft, at));
    },
    async removeDraft(functionId) {
      const removed = await changes.in(
        namespaceOfFunction(db, functionId),
        async ({ transaction }) => {
          const { numUpdatedRows } = await transaction
            .updateTable("functions")
            .set({ draft: null })
            .where("id", "=", functionId)
            .where("draft", "is not", null)
            .executeTakeFirst();
          await tidy(transaction, functionId);
          return numUpdatedRows > 0n;
        },
      );
      return removed ?? false;
    },
    async versions(functionId) {
      const rows = await db
        .selectFrom("revisions")
        .leftJoin("files", "files.revision_id", "revisions.id")
        .select(["revisions.id", "version", "digest", "created_at"])
        .select(({ fn }) => fn.sum<number>("files.size").as("bytes"))
        .where("function_id", "=", functionId)
        .where("version", "is not", null)
        .groupBy(["revisions.id", "version", "digest", "created_at"])
        .orderBy("version")
        .execute();
      return rows.map(({ id, version, digest, bytes, created_at }) => ({
        revisionId: id,
        version: version ?? 0,
        digest,
        bytes: Number(bytes ?? 0),
        createdAt: created_at,
      }));
    },
    async findVersion(functionId, version) {
      const row = await revisions()
        .where("function_id", "=", functionId)
        .where("version", "is not", null)
        .where(typeof version === "number" ? "version" : "digest", "=", version)
        .executeTakeFirst();
      return row === undefined ? undefined : revisionOf(row);
    },
    async removeVersion(functionId, revisionId, at) {
      const where = namespaceOfFunction(db, functionId);
      const removal = await changes.in(where, (change) =>
        removeVersion(change, functionId, revisionId, at),
      );
      return removal ?? { isFound: false, neededBy: [] };
    },
  };
}

/** Writes a revision with what its function has of its files already, and publishes it when that is all. */
export async function insertRevision(
  change: Change,
  owner: Selectable<FunctionsTable>,
  { id, definition, digest, files }: NewRevision,
  at: string,
): Promise<StoredRevision> {
  const row = {
    id,
    function_id: owner.id,
    definition,
    digest,
    file_count: files.length,
    version: null,
    created_at: at,
  };
  await change.transaction.insertInto("revisions").values(row).execute();
  return await takeOver(change, owner, row, files, at);
}

/** Gives a revision those of its files that some revision of its function has. */
async function takeOver(
  change: Change,
  owner: Selectable<FunctionsTable>,
  revision: Selectable<RevisionsTable>,
  files: NewRevision["files"],
  at: string,
): Promise<StoredRevision> {
  const { transaction } = change;
  const known = await transaction
    .selectFrom("files")
    .innerJoin("revisions", "revisions.id", "files.revision_id")
    .select(["files.sha256", "files.kind", "files.size"])
    .where("revisions.function_id", "=", owner.id)
    .where("files.sha256", "in", ["", ...files.map(({ sha256 }) => sha256)])
    .distinct()
    .execute();
  const found = files.flatMap((file) => {
    // What may be large as data may be too large for a program.
    const size = known.find(
      ({ sha256, kind }) => sha256 === file.sha256 && kind === file.kind,
    )?.size;
    return size === undefined ? [] : [{ ...file, size, revision_id: revision.id, stored_at: at }];
  });
  if (found.length > 0) {
    await transaction
      .insertInto("files")
      .values(found)
      .onConflict((conflict) => conflict.columns(["revision_id", "path"]).doNothing())
      .execute();
  }
  return revisionOf((await publishWhenComplete(change, owner, revision, at)) ?? revision);
}

async function putDraft(
  change: Change,
  functionId: string,
  draft: NewRevision,
  at: string,
): Promise<StoredRevision> {
  const { transaction } = change;
  const owner = await transaction
    .selectFrom("functions")
    .selectAll()
    .where("id", "=", functionId)
    .executeTakeFirstOrThrow();
  const begun = await transaction
    .selectFrom("revisions")
    .selectAll()
    .where("id", "=", owner.draft ?? "")
    .where("digest", "=", draft.digest)
    .executeTakeFirst();
  // What is being uploaded to already goes on.
  if (begun !== undefined) return await takeOver(change, owner, begun, draft.files, at);
  await refuseTooMany(change, owner, draft.digest);
  await transaction
    .updateTable("functions")
    .set({ draft: draft.id })
    .where("id", "=", functionId)
    .execute();
  const made = await insertRevision(change, { ...owner, draft: draft.id }, draft, at);
  await tidy(transaction, functionId);
  return made;
}

/** There is always a way back to what is a version already. */
async function refuseTooMany(
  { transaction }: Change,
  { id, name }: Selectable<FunctionsTable>,
  digest: string,
): Promise<void> {
  const versions = await transaction
    .selectFrom("revisions")
    .select("digest")
    .where("function_id", "=", id)
    .where("version", "is not", null)
    .execute();
  if (versions.length < MAXIMUM_VERSIONS) return;
  if (versions.some((version) => version.digest === digest)) return;
  throw new StoreError(
    "STORE_LIMIT",
    `function ${name} has ${versions.length} versions; remove some`,
  );
}

async function removeVersion(
  { transaction, record }: Change,
  functionId: string,
  revisionId: string,
  at: string,
): Promise<VersionRemoval> {
  const found = await transaction
    .selectFrom("revisions")
    .innerJoin("functions", "functions.id", "revisions.function_id")
    .select(["revisions.version", "functions.name", "functions.head"])
    .where("revisions.id", "=", revisionId)
    .where("revisions.function_id", "=", functionId)
    .where("revisions.version", "is not", null)
    .executeTakeFirst();
  if (found === undefined) return { isFound: false, neededBy: [] };
  const aliases = await transaction
    .selectFrom("aliases")
    .select("name")
    .where("revision_id", "=", revisionId)
    .orderBy("name")
    .execute();
  const instances = await transaction
    .selectFrom("instances")
    .select("id")
    .where("revision_id", "=", revisionId)
    .where("state", "not in", OVER)
    .orderBy("id")
    .execute();
  const neededBy = [
    ...(found.head === revisionId ? ["the function's name alone"] : []),
    ...aliases.map(({ name }) => `alias ${name}`),
    ...instances.map(({ id }) => `instance ${id}`),
  ];
  if (neededBy.length > 0) return { isFound: true, neededBy };
  await transaction.deleteFrom("revisions").where("id", "=", revisionId).execute();
  await record({
    kind: "function",
    subject: found.name,
    state: "version-removed",
    reason: `version ${found.version}`,
    at,
  });
  return { isFound: true, neededBy };
}

/** A revision from its row. */
export function revisionOf(row: Omit<Selectable<RevisionsTable>, "file_count">): StoredRevision {
  return {
    id: row.id,
    functionId: row.function_id,
    definition: row.definition,
    digest: row.digest,
    ...(row.version === null ? {} : { version: row.version }),
    createdAt: row.created_at,
  };
}
