// What a client's request needs, as Veracruz asks it (its requests write, append, read, list and compute).
import { isStream } from "./path.ts";
import { RIGHTS, type RightName, rightsNames } from "./rights.ts";
import { type RightsTable, rightsAt } from "./rights-table.ts";

/** A decision, with the rights that are missing when it is no. */
export interface Decision {
  readonly allowed: boolean;
  readonly missing: readonly RightName[];
}

/** Whole write: open and truncate; a file that is not there yet must be created. */
export function mayWrite(table: RightsTable, path: string, state: { exists: boolean }): Decision {
  const create = state.exists || isStream(path) ? 0 : RIGHTS.path_create_file;
  const size = isStream(path) ? 0 : RIGHTS.path_filestat_set_size;
  return decide(table, path, RIGHTS.path_open | RIGHTS.fd_write | RIGHTS.fd_seek | create | size);
}

/** Append: open, seek to the end, write. */
export function mayAppend(table: RightsTable, path: string, state: { exists: boolean }): Decision {
  const create = state.exists ? 0 : RIGHTS.path_create_file;
  return decide(table, path, RIGHTS.path_open | RIGHTS.fd_write | RIGHTS.fd_seek | create);
}

/** Read: open, seek, read. */
export function mayRead(table: RightsTable, path: string): Decision {
  return decide(table, path, RIGHTS.path_open | RIGHTS.fd_read | RIGHTS.fd_seek);
}

/** List a directory. */
export function mayList(table: RightsTable, path: string): Decision {
  return decide(table, path, RIGHTS.path_open | RIGHTS.fd_readdir);
}

/** Run a program. Open and execute, as in the i-PoC; later Veracruz also wants seek, which says nothing here. */
export function mayExecute(table: RightsTable, path: string): Decision {
  return decide(table, path, RIGHTS.path_open | RIGHTS.execute);
}

function decide(table: RightsTable, path: string, need: number): Decision {
  const have = rightsAt(table, path) ?? 0;
  const missing = rightsNames(need & ~have);
  return { allowed: missing.length === 0, missing };
}
