// A directory as fd_readdir gives it: entries encoded once, sorted by name, `.` and `..` first. The number of the next
// entry is the cookie; a listing does not change once it is made, so that removing while reading skips nothing.
import { type DirectoryNode, FILETYPE } from "./nodes.ts";

/** Size of a dirent without its name. */
const DIRENT_BYTES = 24;

/** An encoded directory. */
export interface Listing {
  readonly bytes: Uint8Array;
  /** Where each entry starts, and the end. */
  readonly starts: readonly number[];
}

/** The listing of a directory as it is now. */
export function listingOf(directory: DirectoryNode): Listing {
  directory.listing ??= encode(directory);
  return directory.listing;
}

function encode(directory: DirectoryNode): Listing {
  const above = directory.parent ?? directory;
  const rows: [string, number, number][] = [
    [".", directory.ino, FILETYPE.directory],
    ["..", above.ino, FILETYPE.directory],
  ];
  for (const name of [...directory.entries.keys()].sort()) {
    const node = directory.entries.get(name);
    if (node !== undefined) rows.push([name, node.ino, node.filetype]);
  }
  const encoder = new TextEncoder();
  const names = rows.map(([name]) => encoder.encode(name));
  const bytes = new Uint8Array(names.reduce((sum, name) => sum + DIRENT_BYTES + name.length, 0));
  const view = new DataView(bytes.buffer);
  const starts: number[] = [];
  let at = 0;
  for (const [index, [, ino, filetype]] of rows.entries()) {
    const name = names[index] ?? new Uint8Array();
    starts.push(at);
    view.setBigUint64(at, BigInt(index + 1), true);
    view.setBigUint64(at + 8, BigInt(ino), true);
    view.setUint32(at + 16, name.length, true);
    view.setUint8(at + 20, filetype);
    bytes.set(name, at + DIRENT_BYTES);
    at += DIRENT_BYTES + name.length;
  }
  starts.push(at);
  return { bytes, starts };
}
