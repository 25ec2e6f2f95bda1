// How many records there are in each state.
import type { Kysely } from "kysely";
import type { Tables } from "./tables.ts";

/** Numbers of records by state; states without any are absent. */
export async function countStates(
  db: Kysely<Tables>,
  table: "instances" | "keeps",
): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom(table)
    .select(({ fn }) => ["state", fn.countAll<number>().as("number")])
    .groupBy("state")
    .execute();
  return new Map(rows.map(({ state, number }) => [state, number]));
}
