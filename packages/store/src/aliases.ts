// Names for versions of a function. A name means one version at any time: switching it is one write.
import type { Kysely } from "kysely";
import { type Changes, namespaceOfFunction } from "./change.ts";
import { StoreError } from "./errors.ts";
import type { Tables } from "./sql/tables.ts";

/** A name for a version. */
export interface StoredAlias {
  readonly name: string;
  readonly revisionId: string;
  readonly version: number;
  readonly digest: string;
  readonly updatedAt: string;
}

/** Aliases of functions. */
export interface AliasRepository {
  /** In order of names. */
  aliases(functionId: string): Promise<StoredAlias[]>;
  /**
   * Makes a name mean a version, whatever it meant before.
   * @returns undefined when the function has no such version (any more)
   * @throws StoreError STORE_LIMIT
   */
  setAlias(
    functionId: string,
    name: string,
    revisionId: string,
    at: string,
  ): Promise<StoredAlias | undefined>;
  removeAlias(functionId: string, name: string, at: string): Promise<boolean>;
}

/** How many aliases a function may have. */
export const MAXIMUM_ALIASES = 100;

/** Aliases in a database. */
export function aliasRepository(db: Kysely<Tables>, changes: Changes): AliasRepository {
  const select = (source: Kysely<Tables>, functionId: string) =>
    source
      .selectFrom("aliases")
      .innerJoin("revisions", "revisions.id", "aliases.revision_id")
      .innerJoin("functions", "functions.id", "aliases.function_id")
      .select(["aliases.name", "aliases.revision_id", "aliases.updated_at"])
      .select(["revisions.version", "revisions.digest", "functions.name as function_name"])
      .where("aliases.function_id", "=", functionId)
      .orderBy("aliases.name");
  return {
    async aliases(functionId) {
      return (await select(db, functionId).execute()).map(aliasOf);
    },
    async setAlias(functionId, name, revisionId, at) {
      return await changes.in(
        namespaceOfFunction(db, functionId),
        async ({ transaction, record }) => {
          const version = await transaction
            .selectFrom("revisions")
            .select("id")
            .where("id", "=", revisionId)
            .where("function_id", "=", functionId)
            .where("version", "is not", null)
            .executeTakeFirst();
          if (version === undefined) return undefined;
          await transaction
            .insertInto("aliases")
            .values({ function_id: functionId, name, revision_id: revisionId, updated_at: at })
            .onConflict((conflict) =>
              conflict
                .columns(["function_id", "name"])
                .doUpdateSet({ revision_id: revisionId, updated_at: at }),
            )
            .execute();
          const all = await select(transaction, functionId).execute();
          if (all.length > MAXIMUM_ALIASES) {
            throw new StoreError("STORE_LIMIT", `a function may have ${MAXIMUM_ALIASES} aliases`);
          }
          const row = all.find((each) => each.name === name);
          if (row === undefined) throw new Error(`alias ${name} vanished`);
          await record({
            kind: "function",
            subject: row.function_name,
            state: "alias-set",
            reason: `${name} is version ${row.version}`,
            at,
          });
          return aliasOf(row);
        },
      );
    },
    async removeAlias(functionId, name, at) {
      const removed = await changes.in(
        namespaceOfFunction(db, functionId),
        async ({ transaction, record }) => {
          const [row] = (await select(transaction, functionId).execute()).filter(
            (each) => each.name === name,
          );
          if (row === undefined) return false;
          await transaction
            .deleteFrom("aliases")
            .where("function_id", "=", functionId)
            .where("name", "=", name)
            .execute();
          const { function_name: subject } = row;
          await record({ kind: "function", subject, state: "alias-removed", reason: name, at });
          return true;
        },
      );
      return removed ?? false;
    },
  };
}

function aliasOf(row: {
  name: string;
  revision_id: string;
  version: number | null;
  digest: string;
  updated_at: string;
}): StoredAlias {
  return {
    name: row.name,
    revisionId: row.revision_id,
    version: row.version ?? 0,
    digest: row.digest,
    updatedAt: row.updated_at,
  };
}
