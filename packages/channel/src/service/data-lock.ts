// One process of a kind works in a data directory at a time: each takes what it finds there for its own, or for left by
// one that died. The lock is SQLite's on an empty database, which the operating system lets go of however the process ends.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HoldfastError, messageOf } from "@holdfast/core";

/** A directory that is ours until it is released. */
export interface DataLock {
  release(): void;
}

/** Code of a directory that can't be had. */
export type DataLockErrorCode = "DATA_IN_USE";

/** A data directory that another process works in. */
export class DataLockError extends HoldfastError {
  declare readonly code: DataLockErrorCode;

  constructor(message: string, options: { cause: unknown }) {
    super("DATA_IN_USE", message, options);
  }
}

/**
 * Locks a data directory, which must be there.
 * @param kind of process; those of different kinds may share it
 * @throws DataLockError DATA_IN_USE
 */
export function lockData(directory: string, kind?: string): DataLock {
  try {
    const database = new DatabaseSync(
      join(directory, kind === undefined ? "lock.db" : `${kind}-lock.db`),
    );
    try {
      database.exec("BEGIN EXCLUSIVE");
    } catch (cause) {
      database.close();
      throw cause;
    }
    return { release: () => database.close() };
  } catch (cause) {
    const text = `${directory} is in use by another process, or can't be locked`;
    throw new DataLockError(`${text}: ${messageOf(cause)}`, { cause });
  }
}
