// Endorsements that the service holds: every file of a directory and of those below it, told apart by content.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "@holdfast/core";
import {
  type EndorsementFile,
  type Endorsements,
  MAXIMUM_ENDORSEMENT,
  MAXIMUM_ENDORSEMENTS,
  NO_ENDORSEMENTS,
  readEndorsements,
} from "@holdfast/evidence";
import { TrustError } from "../errors.ts";

/**
 * Reads a directory of endorsements; none without one.
 * @throws TrustError CONFIG_INVALID when it can't be read, or holds too much
 */
export async function readCollateral(directory: string | undefined): Promise<Endorsements> {
  if (directory === undefined) return NO_ENDORSEMENTS;
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    const paths = entries
      .filter((each) => each.isFile())
      .map((each) => join(each.parentPath, each.name));
    if (paths.length > MAXIMUM_ENDORSEMENTS) throw new Error(`over ${MAXIMUM_ENDORSEMENTS} files`);
    const files: EndorsementFile[] = [];
    for (const path of paths.toSorted()) {
      if ((await stat(path)).size > MAXIMUM_ENDORSEMENT) {
        throw new Error(`${path}: over ${MAXIMUM_ENDORSEMENT} bytes`);
      }
      files.push({ name: path, bytes: new Uint8Array(await readFile(path)) });
    }
    return readEndorsements(files);
  } catch (cause) {
    throw new TrustError("CONFIG_INVALID", `collateral_dir ${directory}: ${messageOf(cause)}`, {
      cause,
    });
  }
}
