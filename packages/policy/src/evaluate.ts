// What a request needs, as Veracruz asks it of its clients (write, append, read, list, compute), and what a program can
// do beside.
import { isStream } from "./path.ts";
import { RIGHTS, type RightName, rightsNames } from "./rights.ts";
import { type RightsTable, rightsAt } from "./rights-table.ts";

/** A decision, with the rights that are missing when it is no. */
export interface Decision {
  readonly allowed: boolean;
  readonly missing: readonly RightName[];
}

/** What one can do to a path. */
export type Verb = "read" | "list" | "append" | "replace" | "create" | "delete" | "execute";

const OPEN_TO_WRITE = RIGHTS.path_open | RIGHTS.fd_write | RIGHTS.fd_seek;
const OPEN_TO_REPLACE = OPEN_TO_WRITE | RIGHTS.path_filestat_set_size;

/** The rights each verb takes on a file or directory; streams are there already and never cut. */
const NEEDS: Readonly<Record<Verb, number>> = {
  read: RIGHTS.path_open | RIGHTS.fd_read | RIGHTS.fd_seek,
  list: RIGHTS.path_open | RIGHTS.fd_readdir,
  append: OPEN_TO_WRITE,
  replace: OPEN_TO_REPLACE,
  create: OPEN_TO_REPLACE | RIGHTS.path_create_file,
  delete: RIGHTS.path_unlink_file,
  execute: RIGHTS.path_open | RIGHTS.execute,
};
/** Every verb, from the mildest. */
export const VERBS: readonly Verb[] = Object.keys(NEEDS) as Verb[];
const STREAM_VERBS: readonly Verb[] = ["read", "append"];

/** Whole write: open and truncate; a file that is not there yet must be created. */
export function mayWrite(table: RightsTable, path: string, state: { exists: boolean }): Decision {
  if (isStream(path)) return decide(table, path, OPEN_TO_WRITE);
  return decide(table, path, state.exists ? NEEDS.replace : NEEDS.create);
}

/** Append: open, seek to the end, write. */
export function mayAppend(table: RightsTable, path: string, state: { exists: boolean }): Decision {
  const create = state.exists || isStream(path) ? 0 : RIGHTS.path_create_file;
  return decide(table, path, NEEDS.append | create);
}

/** Read: open, seek, read. */
export function mayRead(table: RightsTable, path: string): Decision {
  return decide(table, path, NEEDS.read);
}

/** List a directory. */
export function mayList(table: RightsTable, path: string): Decision {
  return decide(table, path, NEEDS.list);
}

/** Run a program. Open and execute, as in the i-PoC; later Veracruz also wants seek, which says nothing here. */
export function mayExecute(table: RightsTable, path: string): Decision {
  return decide(table, path, NEEDS.execute);
}

/** Everything a principal may do to a path, mildest first. */
export function verbsAt(table: RightsTable, path: string): Verb[] {
  const possible = isStream(path) ? STREAM_VERBS : VERBS;
  return possible.filter((verb) => decide(table, path, NEEDS[verb]).allowed);
}

function decide(table: RightsTable, path: string, need: number): Decision {
  const have = rightsAt(table, path) ?? 0;
  const missing = rightsNames(need & ~have);
  return { allowed: missing.length === 0, missing };
}
