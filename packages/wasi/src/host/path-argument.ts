// Paths and directories as calls name them.
import type { DirectoryNode } from "../vfs/nodes.ts";
import { ERRNO } from "./errno.ts";
import type { Guest } from "./guest.ts";

/** Longer paths are refused before they are read. */
const MAXIMUM_PATH_ARGUMENT = 4096;

/** The directory of a descriptor that has a right; an error number otherwise. */
export function directoryOf(guest: Guest, fd: number, right: number): DirectoryNode | number {
  const descriptor = guest.descriptors.get(fd);
  if (descriptor === undefined) return ERRNO.badf;
  if (descriptor.directory === undefined) return ERRNO.notdir;
  return (descriptor.rights & right) === 0 ? ERRNO.notcapable : descriptor.directory;
}

/** The text of a path argument; an error number otherwise. */
export function pathArgument(guest: Guest, pointer: number, length: number): string | number {
  const [at, bytes] = [pointer >>> 0, length >>> 0];
  if (!guest.memory.fits(at, bytes)) return ERRNO.fault;
  if (bytes > MAXIMUM_PATH_ARGUMENT) return ERRNO.nametoolong;
  const text = guest.memory.text(at, bytes);
  if (text === undefined) return ERRNO.ilseq;
  return text.includes("\0") ? ERRNO.inval : text;
}
