// A name for this installation, made on first start: keeps of one data directory are its keeps.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { writeOnce } from "../write-once.ts";

/** The name that a data directory has, made when it has none. */
export function ownName(directory: string, kind: string): Promise<string> {
  return writeOnce(join(directory, kind), randomUUID());
}
