// A file that is made once, whole, by whichever process comes first, and is the same for all from then on.

import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Writes a file, for its owner alone, unless it is there already.
 * @returns what the file holds: the text, or that of whoever was faster
 */
export async function writeOnce(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const own = `${path}.${randomUUID()}`;
  try {
    await writeFile(own, text, { mode: 0o600, flush: true });
    await link(own, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
  } finally {
    await rm(own, { force: true });
  }
  return await readFile(path, "utf8");
}
