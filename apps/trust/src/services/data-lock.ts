// One process at a time works in a data directory: two would tear the log's chain of hashes. The lock is SQLite's on an
// empty database, which the operating system lets go of however the process ends.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "@holdfast/core";
import { TrustError } from "../errors.ts";

/** A directory that is ours until it is released. */
export interface DataLock {
  release(): void;
}

/**
 * Locks a data directory.
 * @throws TrustError DATA_IN_USE
 */
export function lockData(directory: string): DataLock {
  const path = join(directory, "lock.db");
  try {
    const database = new DatabaseSync(path);
    try {
      database.exec("BEGIN EXCLUSIVE");
    } catch (cause) {
      database.close();
      throw cause;
    }
    return { release: () => database.close() };
  } catch (cause) {
    throw new TrustError(
      "DATA_IN_USE",
      `${directory} is in use by another process, or can't be locked: ${messageOf(cause)}`,
      { cause },
    );
  }
}
