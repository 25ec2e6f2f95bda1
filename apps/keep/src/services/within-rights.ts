// A second look at what a run changed. The host in the worker decided each call by the program's rights already; should
// a program ever take that host over, it still can't change here what its rights don't reach.
import { RIGHTS, type RightsTable, rightsAt } from "@holdfast/policy";
import type { Changes, StoredNode } from "@holdfast/wasi";

/** Rights of which at least one is behind any change. */
const CHANGING =
  RIGHTS.fd_write |
  RIGHTS.fd_allocate |
  RIGHTS.path_create_directory |
  RIGHTS.path_create_file |
  RIGHTS.path_link_target |
  RIGHTS.path_rename_source |
  RIGHTS.path_rename_target |
  RIGHTS.path_filestat_set_size |
  RIGHTS.path_filestat_set_times |
  RIGHTS.fd_filestat_set_size |
  RIGHTS.fd_filestat_set_times |
  RIGHTS.path_symlink |
  RIGHTS.path_remove_directory |
  RIGHTS.path_unlink_file;
const REMOVING =
  RIGHTS.path_unlink_file |
  RIGHTS.path_remove_directory |
  RIGHTS.path_rename_source |
  // What is renamed over is gone too.
  RIGHTS.path_rename_target;

/** Whether each change lies where the rights let something be changed at all. */
export function isWithinRights(rights: RightsTable, changes: Changes): boolean {
  return (
    changes.removed.every((path) => hasAny(rights, path, REMOVING)) &&
    changes.written.every((node) => mayStand(rights, node))
  );
}

function mayStand(rights: RightsTable, { path, kind }: StoredNode): boolean {
  if (hasAny(rights, path, CHANGING)) return true;
  // Directories of the rights table, and those above them, are made for the program.
  const below = path === "/" ? "/" : `${path}/`;
  return kind === "directory" && [...rights.keys()].some((each) => `${each}/`.startsWith(below));
}

function hasAny(rights: RightsTable, path: string, any: number): boolean {
  return ((rightsAt(rights, path) ?? 0) & any) !== 0;
}
