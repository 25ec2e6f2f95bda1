// path_open (WASI Preview 1): what is asked of a descriptor must be in what its directory may pass on; what the policy
// does not grant at the path is left out, except reading and writing, which fail here rather than at the first call.
import { RIGHTS } from "@holdfast/policy";
import { FileNode } from "../vfs/file-node.ts";
import { DirectoryNode } from "../vfs/nodes.ts";
import { FDFLAGS_ALL, guestRights } from "./descriptor-calls.ts";
import { Descriptor, DIRECTORY_RIGHTS, FILE_RIGHTS, PATH_RIGHTS } from "./descriptors.ts";
import { ERRNO } from "./errno.ts";
import type { Guest } from "./guest.ts";
import { pathArgument } from "./path-argument.ts";

const OFLAG = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;
const OFLAGS_ALL = 15;
/** The only look-up flag. */
export const SYMLINK_FOLLOW = 1;

/** The call, for a guest. */
export function openCalls(guest: Guest) {
  const { descriptors, fs, lookup } = guest;

  function openDirectory(node: DirectoryNode, base: number, oflags: number): Descriptor | number {
    if ((oflags & OFLAG.create) !== 0 && (oflags & OFLAG.directory) === 0) return ERRNO.isdir;
    if ((base & RIGHTS.fd_write) !== 0 || (oflags & OFLAG.truncate) !== 0) return ERRNO.isdir;
    // Rights on paths below are asked of the policy there; the others are this directory's own.
    const granted = PATH_RIGHTS | (node.entry?.rights ?? 0);
    return new Descriptor(node, base & granted & DIRECTORY_RIGHTS, 0);
  }

  function openFile(node: FileNode, base: number, oflags: number): Descriptor | number {
    const granted = lookup.rights;
    if ((oflags & OFLAG.directory) !== 0 || lookup.slash) return ERRNO.notdir;
    const refused = base & (RIGHTS.fd_read | RIGHTS.fd_write) & ~granted;
    if (refused !== 0) return ERRNO.acces;
    if ((oflags & OFLAG.truncate) !== 0) {
      if ((granted & RIGHTS.path_filestat_set_size) === 0) return ERRNO.acces;
      const errno = node.size > 0 ? fs.resize(node, 0) : ERRNO.success;
      if (errno !== ERRNO.success) return errno;
    }
    return new Descriptor(node, base & granted & FILE_RIGHTS, 0);
  }

  function create(base: number, from: Descriptor): Descriptor | number {
    if (lookup.slash) return ERRNO.isdir;
    if ((from.rights & RIGHTS.path_create_file) === 0) return ERRNO.notcapable;
    const granted = lookup.rights;
    if ((granted & RIGHTS.path_create_file) === 0) return ERRNO.acces;
    if ((base & (RIGHTS.fd_read | RIGHTS.fd_write) & ~granted) !== 0) return ERRNO.acces;
    const node = fs.createFile(lookup.parent, lookup.name);
    if (typeof node === "number") return node;
    return new Descriptor(node, base & granted & FILE_RIGHTS, 0);
  }

  /** Opens what the look-up has found. */
  function openFound(base: number, oflags: number, from: Descriptor): Descriptor | number {
    const node = lookup.node;
    if ((lookup.rights & RIGHTS.path_open) === 0) return ERRNO.acces;
    if (node === undefined) {
      return (oflags & OFLAG.create) === 0 ? ERRNO.noent : create(base, from);
    }
    const mustBeNew = OFLAG.create | OFLAG.exclusive;
    if ((oflags & mustBeNew) === mustBeNew) return ERRNO.exist;
    if (node instanceof FileNode) return openFile(node, base, oflags);
    return node instanceof DirectoryNode ? openDirectory(node, base, oflags) : ERRNO.loop;
  }

  return {
    path_open(
      fd: number,
      lookupFlags: number,
      path: number,
      pathLength: number,
      oflags: number,
      rightsBase: number,
      _rightsBaseHigh: number,
      rightsInheriting: number,
      _rightsInheritingHigh: number,
      fdflags: number,
      result: number,
    ): number {
      const memory = guest.enter();
      const from = descriptors.get(fd);
      if (from === undefined) return ERRNO.badf;
      if (from.directory === undefined) return ERRNO.notdir;
      if ((from.rights & RIGHTS.path_open) === 0) return ERRNO.notcapable;
      if (!memory.fits(result >>> 0, 4)) return ERRNO.fault;
      const text = pathArgument(guest, path, pathLength);
      if (typeof text === "number") return text;
      const [base, inheriting] = [guestRights(rightsBase), guestRights(rightsInheriting)];
      if (((base | inheriting) & ~from.inheriting) !== 0) return ERRNO.notcapable;
      if ((oflags & ~OFLAGS_ALL) !== 0 || (fdflags & ~FDFLAGS_ALL) !== 0) return ERRNO.inval;
      const truncates = (oflags & OFLAG.truncate) !== 0;
      if (truncates && (from.rights & RIGHTS.path_filestat_set_size) === 0) {
        return ERRNO.notcapable;
      }
      if ((oflags & OFLAG.create) !== 0 && (oflags & OFLAG.directory) !== 0) return ERRNO.inval;
      if (!descriptors.hasRoom) return ERRNO.mfile;
      const fresh = (oflags & OFLAG.create) !== 0 && (oflags & OFLAG.exclusive) !== 0;
      const follow = (lookupFlags & SYMLINK_FOLLOW) !== 0 && !fresh;
      const found = lookup.find(from.directory, text, follow);
      if (found !== ERRNO.success) return found;
      const opened = openFound(base, oflags, from);
      if (typeof opened === "number") return opened;
      opened.inheriting = inheriting;
      if (opened.directory === undefined) opened.flags = fdflags;
      memory.setU32(result >>> 0, descriptors.add(opened));
      return ERRNO.success;
    },
  };
}
