// What a run gets when its options do not say: limits, directories, preopened descriptors.
import { isStream, type RightsTable } from "@holdfast/policy";
import { MAXIMUM_ENTRIES } from "../store/file-store.ts";
import type { Snapshot } from "../store/snapshot.ts";
import type { Preopen, RunLimits, RunOptions } from "./options.ts";

const MIB = 1024 * 1024;

/** Limits with every member. */
export function limitsOf(limits: RunLimits = {}): Required<Omit<RunLimits, "wallTimeMs">> {
  return {
    outputBytes: limits.outputBytes ?? 64 * MIB,
    storageBytes: limits.storageBytes ?? 1024 * MIB,
    entries: limits.entries ?? MAXIMUM_ENTRIES,
    descriptors: limits.descriptors ?? 1024,
  };
}

/** Directories that a run begins with: those that are made when absent, and entries of its rights that are one already. */
export function directoriesOf(
  { rights, directories = [] }: Pick<RunOptions, "rights" | "directories">,
  snapshot: Snapshot,
): string[] {
  const entries = new Set(entriesOf(rights));
  const there = snapshot.nodes.filter(
    ({ path, kind }) => kind === "directory" && entries.has(path),
  );
  return [...new Set([...directories, ...there.map(({ path }) => path)])];
}

/**
 * The directories a guest finds open, from descriptor 3: those of its rights, and the root. A C library takes the
 * longest one that a path begins with, and leaves leading slashes out of account, so `/data/x` and `data/x` are found
 * under `/data`; the root is for what lies elsewhere: single files of the rights table, and paths that are refused.
 */
export function preopensOf(directories: readonly string[]): Preopen[] {
  const paths = directories.filter((path) => path !== "/").sort();
  return [...paths, "/"].map((path) => ({ path, name: path }));
}

/** Directories that a run makes where they are missing: its own, and those that entries of its rights lie in. */
export function neededDirectories(rights: RightsTable, directories: readonly string[]): string[] {
  const parents = entriesOf(rights).map((path) => path.slice(0, path.lastIndexOf("/")) || "/");
  return [...new Set([...directories, ...parents])];
}

function entriesOf(rights: RightsTable): string[] {
  return [...rights.keys()].filter((path) => !isStream(path));
}
