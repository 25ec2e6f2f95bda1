// What may be in a namespace, and what is. A quota is compared after the row that counts was written, in the same
// transaction, which holds the namespace: two at once can't both take the last place.
import type { Kysely } from "kysely";
import type { Change } from "./change.ts";
import { StoreError } from "./errors.ts";
import type { Tables } from "./sql/tables.ts";

/** What a namespace may have; not bounded where absent. */
export interface Quotas {
  readonly functions?: number;
  /** Living ones. */
  readonly instances?: number;
  /** Of stored files; the same content counts once, however many functions and versions have it. */
  readonly bytes?: number;
  /** Of living keeps together. */
  readonly memoryMib?: number;
}

/** What a namespace has. */
export type Usage = Required<Quotas>;

/** What is counted. */
export type QuotaName = keyof Usage;

/** States in which an instance or a keep takes nothing any more. */
export const OVER: readonly ["ended", "failed"] = ["ended", "failed"];

const COLUMNS = {
  functions: "quota_functions",
  instances: "quota_instances",
  bytes: "quota_bytes",
  memoryMib: "quota_memory_mib",
} as const;

/** How much of something a namespace has. */
export const used: Readonly<
  Record<QuotaName, (db: Kysely<Tables>, namespace: string) => Promise<number>>
> = {
  async functions(db, namespace) {
    const { number } = await db
      .selectFrom("functions")
      .select(({ fn }) => fn.countAll<number>().as("number"))
      .where("namespace", "=", namespace)
      .executeTakeFirstOrThrow();
    return Number(number);
  },
  async instances(db, namespace) {
    const { number } = await db
      .selectFrom("instances")
      .select(({ fn }) => fn.countAll<number>().as("number"))
      .where("namespace", "=", namespace)
      .where("state", "not in", OVER)
      .executeTakeFirstOrThrow();
    return Number(number);
  },
  async bytes(db, namespace) {
    const { sum } = await db
      .selectFrom(contents(db, namespace).distinct().as("content"))
      .select(({ fn }) => fn.sum<number>("content.size").as("sum"))
      .executeTakeFirstOrThrow();
    return Number(sum ?? 0);
  },
  async memoryMib(db, namespace) {
    const { sum } = await db
      .selectFrom("keeps")
      .select(({ fn }) => fn.sum<number>("max_memory_mib").as("sum"))
      .where("namespace", "=", namespace)
      .where("state", "not in", OVER)
      .executeTakeFirstOrThrow();
    return Number(sum ?? 0);
  },
};

/** Whether some function of a namespace has a content. */
export async function hasContent(
  db: Kysely<Tables>,
  namespace: string,
  sha256: string,
): Promise<boolean> {
  const found = await contents(db, namespace).where("files.sha256", "=", sha256).executeTakeFirst();
  return found !== undefined;
}

function contents(db: Kysely<Tables>, namespace: string) {
  return db
    .selectFrom("files")
    .innerJoin("revisions", "revisions.id", "files.revision_id")
    .innerJoin("functions", "functions.id", "revisions.function_id")
    .select(["files.sha256", "files.size"])
    .where("functions.namespace", "=", namespace);
}

/**
 * Refuses what was just added when it is over its quota.
 * @throws StoreError STORE_QUOTA; details: namespace, quota, limit, used (without what was added), asked
 */
export async function refuseOver(
  { transaction, namespace }: Change,
  quota: QuotaName,
  asked: number,
): Promise<void> {
  const limit = namespace[COLUMNS[quota]];
  if (limit === null) return;
  const before = (await used[quota](transaction, namespace.name)) - asked;
  if (before + asked <= limit) return;
  throw overQuota({ namespace: namespace.name, quota, limit, used: before, asked });
}

/** The refusal of what would be over a quota. */
export function overQuota(details: {
  namespace: string;
  quota: QuotaName;
  limit: number;
  used: number;
  asked: number;
}): StoreError {
  const { namespace, quota, limit, used: has, asked } = details;
  const text = `${quota} of namespace ${namespace}: ${has} of ${limit} are used, ${asked} more asked`;
  return new StoreError("STORE_QUOTA", text, { details });
}
