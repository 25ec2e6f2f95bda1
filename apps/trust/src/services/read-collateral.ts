// Endorsements that the service holds: every file of a directory and of those below it, told apart by content, or one bundle.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type CryptoPort, messageOf } from "@holdfast/core";
import {
  type EndorsementFile,
  type Endorsements,
  MAXIMUM_ENDORSEMENT,
  MAXIMUM_ENDORSEMENTS,
  NO_ENDORSEMENTS,
  readEndorsements,
  unpackBundles,
} from "@holdfast/evidence";
import { TrustError } from "../errors.ts";

/**
 * Reads a directory of endorsements, bundles among them, or one bundle; none without either.
 * @throws TrustError CONFIG_INVALID when it can't be read, holds too much, or a bundle is damaged
 */
export async function readCollateral(
  path: string | undefined,
  crypto: CryptoPort,
): Promise<Endorsements> {
  if (path === undefined) return NO_ENDORSEMENTS;
  try {
    const paths = (await stat(path)).isDirectory() ? await filesUnder(path) : [path];
    if (paths.length > MAXIMUM_ENDORSEMENTS) throw new Error(`over ${MAXIMUM_ENDORSEMENTS} files`);
    const files: EndorsementFile[] = [];
    for (const name of paths) {
      if ((await stat(name)).size > MAXIMUM_ENDORSEMENT) {
        throw new Error(`${name}: over ${MAXIMUM_ENDORSEMENT} bytes`);
      }
      files.push({ name, bytes: new Uint8Array(await readFile(name)) });
    }
    const { files: unpacked, damaged } = await unpackBundles(files, crypto);
    const [fault] = damaged;
    if (fault !== undefined) throw new Error(`bundle ${fault.name}: ${fault.reason}`);
    return readEndorsements(unpacked);
  } catch (cause) {
    throw new TrustError("CONFIG_INVALID", `collateral_dir ${path}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

async function filesUnder(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name))
    .toSorted();
}
