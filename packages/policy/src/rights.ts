// Rights as Veracruz numbers them: the bits of WASI Preview 1, and bit 29 for execution.

/** Every right by name. */
export const RIGHTS = {
  fd_datasync: 2 ** 0,
  fd_read: 2 ** 1,
  fd_seek: 2 ** 2,
  fd_fdstat_set_flags: 2 ** 3,
  fd_sync: 2 ** 4,
  fd_tell: 2 ** 5,
  fd_write: 2 ** 6,
  fd_advise: 2 ** 7,
  fd_allocate: 2 ** 8,
  path_create_directory: 2 ** 9,
  path_create_file: 2 ** 10,
  path_link_source: 2 ** 11,
  path_link_target: 2 ** 12,
  path_open: 2 ** 13,
  fd_readdir: 2 ** 14,
  path_readlink: 2 ** 15,
  path_rename_source: 2 ** 16,
  path_rename_target: 2 ** 17,
  path_filestat_get: 2 ** 18,
  path_filestat_set_size: 2 ** 19,
  path_filestat_set_times: 2 ** 20,
  fd_filestat_get: 2 ** 21,
  fd_filestat_set_size: 2 ** 22,
  fd_filestat_set_times: 2 ** 23,
  path_symlink: 2 ** 24,
  path_remove_directory: 2 ** 25,
  path_unlink_file: 2 ** 26,
  poll_fd_readwrite: 2 ** 27,
  sock_shutdown: 2 ** 28,
  execute: 2 ** 29,
} as const;

/** Name of a right. */
export type RightName = keyof typeof RIGHTS;

/** All bits that mean something. */
export const KNOWN_RIGHTS: number = 2 ** 30 - 1;

const NAMES = Object.keys(RIGHTS) as RightName[];

/** Letters of the policy generator. */
const LETTERS: Readonly<Record<string, number>> = {
  r: RIGHTS.fd_read | RIGHTS.fd_seek | RIGHTS.path_open | RIGHTS.fd_readdir,
  w:
    RIGHTS.fd_write |
    RIGHTS.fd_seek |
    RIGHTS.path_open |
    RIGHTS.path_create_file |
    RIGHTS.path_create_directory |
    RIGHTS.path_filestat_set_size,
  x: RIGHTS.path_open | RIGHTS.fd_seek | RIGHTS.execute,
};

/** Whether `have` covers every bit of `need`. */
export function hasRights(have: number, need: number): boolean {
  return (have & need) === need;
}

/** Names of the bits that are set, lowest first. */
export function rightsNames(rights: number): RightName[] {
  return NAMES.filter((name) => (rights & RIGHTS[name]) !== 0);
}

/** Whether a number is a set of known rights. */
export function isRights(value: unknown): value is number {
  return (
    typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= KNOWN_RIGHTS
  );
}

/**
 * Rights of a number or of the generator's letters (`r`, `w`, `rw`, `x`).
 * @returns undefined when the text is neither
 */
export function parseRights(text: string): number | undefined {
  if (/^\d{1,10}$/.test(text)) {
    const value = Number(text);
    return isRights(value) ? value : undefined;
  }
  if (!/^[rwx]+$/.test(text)) return undefined;
  return [...text].reduce((rights, letter) => rights | (LETTERS[letter] ?? 0), 0);
}
