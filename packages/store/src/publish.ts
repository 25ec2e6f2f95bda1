// How a revision becomes a version, and its function's head: in the very transaction that stores its last file.
import type { Selectable, Transaction } from "kysely";
import type { Change } from "./change.ts";
import type { FunctionsTable, RevisionsTable, Tables } from "./sql/tables.ts";

/**
 * Makes a revision a version and the head when all of its files are stored. Content that has a version already is that
 * version again.
 * @returns the version, or undefined while files are missing
 */
export async function publishWhenComplete(
  change: Change,
  owner: Selectable<FunctionsTable>,
  revision: Selectable<RevisionsTable>,
  at: string,
): Promise<Selectable<RevisionsTable> | undefined> {
  const { transaction, record } = change;
  const { stored } = await transaction
    .selectFrom("files")
    .select(({ fn }) => fn.countAll<number>().as("stored"))
    .where("revision_id", "=", revision.id)
    .executeTakeFirstOrThrow();
  if (Number(stored) < revision.file_count) return undefined;
  const same = await transaction
    .selectFrom("revisions")
    .selectAll()
    .where("function_id", "=", owner.id)
    .where("digest", "=", revision.digest)
    .where("version", "is not", null)
    .executeTakeFirst();
  const number = owner.versions + 1;
  const published = same ?? { ...revision, version: number };
  await transaction
    .updateTable("functions")
    .set({
      head: published.id,
      ...(same === undefined ? { versions: number } : {}),
      ...(owner.draft === revision.id ? { draft: null } : {}),
    })
    .where("id", "=", owner.id)
    .execute();
  if (same === undefined) {
    await transaction
      .updateTable("revisions")
      .set({ version: number })
      .where("id", "=", revision.id)
      .execute();
  }
  await tidy(transaction, owner.id);
  if (published.id === owner.head && same !== undefined) return published;
  await record({
    kind: "function",
    subject: owner.name,
    state: "provisioned",
    reason: `version ${published.version}`,
    at,
  });
  return published;
}

/** Removes what is neither a version, nor the head, nor the draft of a function. */
export async function tidy(transaction: Transaction<Tables>, functionId: string): Promise<void> {
  const { head, draft } = await transaction
    .selectFrom("functions")
    .select(["head", "draft"])
    .where("id", "=", functionId)
    .executeTakeFirstOrThrow();
  await transaction
    .deleteFrom("revisions")
    .where("function_id", "=", functionId)
    .where("version", "is", null)
    .where("id", "not in", [head, draft ?? head])
    .execute();
}
