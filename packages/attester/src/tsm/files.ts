// The files of a configfs tree, as a port: the kernel's own, or one made for a test that behaves like it.
import { mkdir, open, rmdir } from "node:fs/promises";

/** What an attester does with a configfs tree. */
export interface TsmFiles {
  /** Makes a directory; fails with EEXIST when there is one. */
  makeDirectory(path: string): Promise<void>;
  removeDirectory(path: string): Promise<void>;
  /** Writes an attribute in one call, as the kernel asks. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** A whole attribute, at most that many bytes; fails with ENOENT when there is none. */
  read(path: string, most: number): Promise<Uint8Array>;
}

/** The machine's own files. */
export const machineFiles: TsmFiles = {
  makeDirectory: (path) => mkdir(path),
  removeDirectory: (path) => rmdir(path),
  async write(path, bytes) {
    const file = await open(path, "w");
    try {
      const { bytesWritten } = await file.write(bytes);
      if (bytesWritten !== bytes.length) throw new Error(`${path}: written in part`);
    } finally {
      await file.close();
    }
  },
  async read(path, most) {
    const file = await open(path, "r");
    try {
      // Attributes have no size to ask for: read until nothing comes.
      const buffer = new Uint8Array(most + 1);
      let length = 0;
      while (length < buffer.length) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      if (length > most) throw new Error(`${path}: over ${most} bytes`);
      return buffer.slice(0, length);
    } finally {
      await file.close();
    }
  },
};
