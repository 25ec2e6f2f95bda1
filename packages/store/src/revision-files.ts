// Stored files of revisions. The last one that is missing makes the revision a version; what is a version keeps its
// files, whatever happens to the function's head.
import { randomUUID } from "node:crypto";
import type { Kysely } from "kysely";
import { type Change, type Changes, namespaceOfFunction } from "./change.ts";
import { StoreError } from "./errors.ts";
import { publishWhenComplete } from "./publish.ts";
import { hasContent, refuseOver } from "./quotas.ts";
import type { FilesTable, Tables } from "./sql/tables.ts";
import { isUniqueViolation } from "./sql/violations.ts";

/** A stored file of a revision. */
export interface FunctionFileRecord {
  readonly path: string;
  readonly kind: "program" | "data_file";
  readonly sha256: string;
  readonly size: number;
}

/** What became of a file: stored, stored as the last one, or its revision was removed while the bytes were coming. */
export type FileOutcome = "stored" | "published" | "gone";

/** Files of revisions. */
export interface FileRepository {
  /**
   * Records a stored file.
   * @throws StoreError STORE_CONFLICT when the file is there already, STORE_QUOTA
   */
  addFile(revisionId: string, file: FunctionFileRecord, at: string): Promise<FileOutcome>;
  /** In order of paths. */
  files(revisionId: string): Promise<FunctionFileRecord[]>;
  /** The same of many revisions, by their ids; those without any are absent. */
  filesOf(revisionIds: readonly string[]): Promise<Map<string, FunctionFileRecord[]>>;
  /** Takes a file from a function's head; a version that has it stays as it is, and the head is none any more. */
  removeFile(functionId: string, path: string, at: string): Promise<boolean>;
}

/** How many revisions are asked about in one statement. */
const AT_ONCE = 500;

/** Files in a database. */
export function fileRepository(db: Kysely<Tables>, changes: Changes): FileRepository {
  const select = (revisionIds: readonly string[]) =>
    db.selectFrom("files").selectAll().where("revision_id", "in", revisionIds).orderBy("path");
  return {
    async addFile(revisionId, file, at) {
      const where = db
        .selectFrom("functions")
        .innerJoin("revisions", "revisions.function_id", "functions.id")
        .select("functions.namespace")
        .where("revisions.id", "=", revisionId)
        .$asScalar();
      try {
        return (
          (await changes.in(where, (change) => addFile(change, revisionId, file, at))) ?? "gone"
        );
      } catch (cause) {
        if (!isUniqueViolation(cause)) throw cause;
        throw new StoreError("STORE_CONFLICT", `${file.path} is stored already`, { cause });
      }
    },
    async files(revisionId) {
      return (await select([revisionId]).execute()).map(recordOf);
    },
    async filesOf(revisionIds) {
      const found = new Map<string, FunctionFileRecord[]>();
      for (let at = 0; at < revisionIds.length; at += AT_ONCE) {
        for (const row of await select(revisionIds.slice(at, at + AT_ONCE)).execute()) {
          const files = found.get(row.revision_id) ?? [];
          files.push(recordOf(row));
          found.set(row.revision_id, files);
        }
      }
      return found;
    },
    async removeFile(functionId, path, at) {
      const where = namespaceOfFunction(db, functionId);
      return (
        (await changes.in(where, (change) => removeFile(change, functionId, path, at))) ?? false
      );
    },
  };
}

function recordOf({ path, kind, sha256, size }: FilesTable): FunctionFileRecord {
  return { path, kind, sha256, size };
}

async function addFile(
  change: Change,
  revisionId: string,
  file: FunctionFileRecord,
  at: string,
): Promise<FileOutcome> {
  const { transaction, namespace } = change;
  const revision = await transaction
    .selectFrom("revisions")
    .selectAll()
    .where("id", "=", revisionId)
    .executeTakeFirst();
  // Removed between the look for its namespace and the namespace's lock.
  if (revision === undefined) return "gone";
  const isNew = !(await hasContent(transaction, namespace.name, file.sha256));
  await transaction
    .insertInto("files")
    .values({ revision_id: revisionId, stored_at: at, ...file })
    .execute();
  if (isNew) await refuseOver(change, "bytes", file.size);
  const owner = await transaction
    .selectFrom("functions")
    .selectAll()
    .where("id", "=", revision.function_id)
    .executeTakeFirstOrThrow();
  const published = await publishWhenComplete(change, owner, revision, at);
  return published === undefined ? "stored" : "published";
}

async function removeFile(
  { transaction }: Change,
  functionId: string,
  path: string,
  at: string,
): Promise<boolean> {
  const head = await transaction
    .selectFrom("functions")
    .innerJoin("revisions", "revisions.id", "functions.head")
    .selectAll("revisions")
    .where("functions.id", "=", functionId)
    .executeTakeFirst();
  if (head === undefined) return false;
  const stored = await transaction
    .selectFrom("files")
    .selectAll()
    .where("revision_id", "=", head.id)
    .execute();
  const rest = stored.filter((file) => file.path !== path);
  if (rest.length === stored.length) return false;
  if (head.version === null) {
    await transaction
      .deleteFrom("files")
      .where("revision_id", "=", head.id)
      .where("path", "=", path)
      .execute();
    return true;
  }
  const id = randomUUID();
  const copy = { ...head, id, version: null, created_at: at };
  await transaction.insertInto("revisions").values(copy).execute();
  if (rest.length > 0) {
    const files = rest.map((file) => ({ ...file, revision_id: id }));
    await transaction.insertInto("files").values(files).execute();
  }
  await transaction
    .updateTable("functions")
    .set({ head: id })
    .where("id", "=", functionId)
    .execute();
  return true;
}
