// Host files through node:fs.
import { createReadStream } from "node:fs";
import {
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  rename,
  rm,
  rmdir,
  symlink,
} from "node:fs/promises";
import { join } from "node:path";
import type { HostEntry, HostFiles } from "./host-files.ts";

const READ_BYTES = 1024 * 1024;

/** The file system of this machine. */
export const nodeFiles: HostFiles = {
  async list(directory) {
    const entries = await readdir(directory, { withFileTypes: true });
    return Promise.all(
      entries.map(async (entry): Promise<HostEntry> => {
        const { mtime } = await lstat(join(directory, entry.name));
        return { name: entry.name, kind: kindOf(entry), modified: mtime };
      }),
    );
  },

  read: (path) => createReadStream(path, { highWaterMark: READ_BYTES }),
  readLink: (path) => readlink(path),

  async stage({ path, within, pieces }) {
    const temporary = join(within, `.${process.pid}-${crypto.randomUUID()}.tmp`);
    const drop = (): Promise<void> => rm(temporary, { force: true });
    const file = await open(temporary, "wx", await modeOf(path));
    try {
      for (const piece of pieces) await file.writeFile(piece);
      // A full disk may say so only now.
      await file.sync();
      await file.close();
    } catch (thrown) {
      await file.close().catch(() => undefined);
      await drop();
      throw thrown;
    }
    return { place: () => rename(temporary, path), drop };
  },

  async makeDirectory(path) {
    await mkdir(path, { recursive: true });
  },

  async makeLink(path, target) {
    await rm(path, { force: true });
    await symlink(target, path);
  },

  async remove(path) {
    const found = await lstat(path).catch(() => undefined);
    if (found === undefined) return;
    if (!found.isDirectory()) await rm(path);
    else if ((await readdir(path)).length === 0) await rmdir(path);
  },

  join: (directory, name) => join(directory, name),
};

function kindOf(entry: {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}): HostEntry["kind"] {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "directory";
  return entry.isSymbolicLink() ? "symlink" : "other";
}

/** Permissions of the file that is replaced; those of any new file otherwise. */
async function modeOf(path: string): Promise<number> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isFile() === true ? found.mode & 0o777 : 0o666;
}
