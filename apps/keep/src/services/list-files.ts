// Lists a directory.
import { isStream, mayList, type PolicyIdentity } from "@holdfast/policy";
import { KeepError } from "../errors.ts";
import type { KeepState } from "../state/keep-state.ts";
import { demandOpen, demandRight, edgePath } from "./gate.ts";
import { storing } from "./incoming-file.ts";

/** An entry of a directory. */
export interface ListedEntry {
  readonly name: string;
  readonly kind: string;
  readonly size: number;
}

/**
 * Entries of a directory. One that is in the caller's rights but has nothing in it yet is empty, not missing.
 * @throws KeepError RIGHTS_MISSING, FILE_MISSING, FILE_KIND
 */
export function listFiles(
  keep: KeepState,
  caller: PolicyIdentity,
  untrustedPath: string,
): ListedEntry[] {
  demandOpen(keep);
  const path = edgePath(untrustedPath);
  demandRight(mayList(caller.rights, path), path);
  if (isStream(path)) throw new KeepError("FILE_KIND", `${path} is a stream`);
  if (keep.store.stat(path) === undefined && path !== "/") {
    if (caller.rights.has(path)) return [];
    throw new KeepError("FILE_MISSING", `there is no ${path}`);
  }
  return storing(() => keep.store.list(path)).map((entry) => ({
    name: entry.path.slice(entry.path.lastIndexOf("/") + 1),
    kind: entry.kind,
    size: entry.size,
  }));
}
