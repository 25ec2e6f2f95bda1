// Rights of one principal: an entry a path, the nearest ancestor decides. A file entry is a file entry.
import { ancestors } from "./path.ts";
import { hasRights } from "./rights.ts";

/** Rights by normalised path or stream name. */
export type RightsTable = ReadonlyMap<string, number>;

/**
 * The rights a principal has on a path: those of the nearest entry at or above it, and no others.
 * @param path normalised
 * @returns undefined when no entry covers the path
 */
export function rightsAt(table: RightsTable, path: string): number | undefined {
  for (const at of ancestors(path)) {
    const rights = table.get(at);
    if (rights !== undefined) return rights;
  }
  return undefined;
}

/** Whether a principal has every right of `need` on a path. */
export function allows(table: RightsTable, path: string, need: number): boolean {
  const rights = rightsAt(table, path);
  return rights !== undefined && hasRights(rights, need);
}
