// Folders that are still there after a power failure, and what was put into them: a name is on the disk once the folder
// that has it was synchronised.
import { mkdir, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** Makes a folder, for its owner alone, with those above it that are missing. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  const above = dirname(resolve(first));
  let folder = resolve(path);
  do {
    folder = dirname(folder);
    await synchronizeFolder(folder);
  } while (folder !== above);
}

/** Waits until the names in a folder are on the disk. */
export async function synchronizeFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
