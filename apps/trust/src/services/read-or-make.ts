// Files that are made once: whole or not at all, on disk before they are used, the first of several makers wins.
import { randomBytes } from "node:crypto";
import { link, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** The text of a file; when there is none it is made, with the mode given, and read back. */
export async function readOrMake(
  file: string,
  mode: number,
  make: () => Promise<string> | string,
): Promise<string> {
  const present = await readFile(file, "utf8").catch(unlessAbsent);
  if (present !== undefined) return present;
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    const handle = await open(draft, "wx", mode);
    try {
      await handle.writeFile(await make());
      await handle.sync();
    } finally {
      await handle.close();
    }
    // A link never replaces what is there.
    await link(draft, file).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== "EEXIST") throw thrown;
    });
  } finally {
    await rm(draft, { force: true });
  }
  await syncDirectory(dirname(file));
  return await readFile(file, "utf8");
}

/** Puts a directory's entries on disk, so that a new name survives a loss of power. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function unlessAbsent(thrown: NodeJS.ErrnoException): undefined {
  if (thrown.code !== "ENOENT") throw thrown;
}
