// What is done to names (WASI Preview 1, path_create_directory to path_unlink_file, without path_open). Each asks the
// descriptor for the right first, then the policy at the very path.
import { RIGHTS } from "@holdfast/policy";
import { DirectoryNode, LinkNode } from "../vfs/nodes.ts";
import { unsignedBig } from "./adapter.ts";
import { mayLink, mayMove } from "./crossing.ts";
import { ERRNO } from "./errno.ts";
import type { Guest } from "./guest.ts";
import { directoryOf, pathArgument } from "./path-argument.ts";
import { SYMLINK_FOLLOW } from "./path-open.ts";
import { type StatLayout, setTimes, writeStat } from "./stat.ts";

/** The calls, for a guest. */
export function pathCalls(guest: Guest, layout: StatLayout) {
  const { fs, lookup } = guest;

  /** Looks a path up that the descriptor and the policy grant a right on; the result stands in `lookup`. */
  function find(
    fd: number,
    right: number,
    path: number,
    length: number,
    follow: boolean,
    slashFollows = true,
  ): number {
    const directory = directoryOf(guest, fd, right);
    if (typeof directory === "number") return directory;
    const text = pathArgument(guest, path, length);
    if (typeof text === "number") return text;
    const found = lookup.find(directory, text, follow, slashFollows);
    if (found !== ERRNO.success) return found;
    return (lookup.rights & right) === 0 ? ERRNO.acces : ERRNO.success;
  }

  return {
    path_create_directory(fd: number, path: number, length: number): number {
      guest.enter();
      const found = find(fd, RIGHTS.path_create_directory, path, length, false, false);
      if (found !== ERRNO.success) return found;
      if (lookup.node !== undefined) return ERRNO.exist;
      return fs.createDirectory(lookup.parent, lookup.name);
    },

    path_filestat_get(
      fd: number,
      flags: number,
      path: number,
      length: number,
      result: number,
    ): number {
      const memory = guest.enter();
      if (!memory.fits(result >>> 0, layout.bytes)) return ERRNO.fault;
      const follow = (flags & SYMLINK_FOLLOW) !== 0;
      const found = find(fd, RIGHTS.path_filestat_get, path, length, follow);
      if (found !== ERRNO.success) return found;
      const node = lookup.node;
      if (node === undefined) return ERRNO.noent;
      if (lookup.slash && !(node instanceof DirectoryNode)) return ERRNO.notdir;
      writeStat(memory, layout, result >>> 0, node);
      return ERRNO.success;
    },

    path_filestat_set_times(
      fd: number,
      flags: number,
      path: number,
      length: number,
      accessed: number,
      accessedHigh: number,
      modified: number,
      modifiedHigh: number,
      timeFlags: number,
    ): number {
      guest.enter();
      const follow = (flags & SYMLINK_FOLLOW) !== 0;
      const found = find(fd, RIGHTS.path_filestat_set_times, path, length, follow);
      if (found !== ERRNO.success) return found;
      const node = lookup.node;
      if (node === undefined) return ERRNO.noent;
      if (lookup.slash && !(node instanceof DirectoryNode)) return ERRNO.notdir;
      const times = [
        unsignedBig(accessed, accessedHigh),
        unsignedBig(modified, modifiedHigh),
      ] as const;
      return setTimes(fs, node, times, timeFlags);
    },

    path_link(
      fromFd: number,
      flags: number,
      from: number,
      fromLength: number,
      toFd: number,
      to: number,
      toLength: number,
    ): number {
      guest.enter();
      if ((flags & SYMLINK_FOLLOW) !== 0) return ERRNO.inval;
      const source = find(fromFd, RIGHTS.path_link_source, from, fromLength, false);
      if (source !== ERRNO.success) return source;
      const { parent, name, node, slash } = lookup;
      const target = find(toFd, RIGHTS.path_link_target, to, toLength, false, false);
      if (target !== ERRNO.success) return target;
      if (node === undefined) return ERRNO.noent;
      if (node instanceof DirectoryNode) return ERRNO.perm;
      if (slash) return ERRNO.notdir;
      if (lookup.node !== undefined) return ERRNO.exist;
      if (lookup.slash) return ERRNO.noent;
      const refused = mayLink({ parent, name, node }, lookup);
      return refused === ERRNO.success ? fs.addName(node, lookup.parent, lookup.name) : refused;
    },

    path_readlink(
      fd: number,
      path: number,
      length: number,
      buffer: number,
      room: number,
      result: number,
    ): number {
      const memory = guest.enter();
      if (!memory.fits(buffer >>> 0, room >>> 0)) return ERRNO.fault;
      if (!memory.fits(result >>> 0, 4)) return ERRNO.fault;
      const found = find(fd, RIGHTS.path_readlink, path, length, false);
      if (found !== ERRNO.success) return found;
      const node = lookup.node;
      if (node === undefined) return ERRNO.noent;
      if (!(node instanceof LinkNode)) return ERRNO.inval;
      const bytes = Buffer.from(node.target).subarray(0, room >>> 0);
      memory.bytes.set(bytes, buffer >>> 0);
      memory.setU32(result >>> 0, bytes.length);
      return ERRNO.success;
    },

    path_remove_directory(fd: number, path: number, length: number): number {
      guest.enter();
      const found = find(fd, RIGHTS.path_remove_directory, path, length, false, false);
      if (found !== ERRNO.success) return found;
      const node = lookup.node;
      if (node === undefined) return ERRNO.noent;
      if (!(node instanceof DirectoryNode)) return ERRNO.notdir;
      if (lookup.dots) return ERRNO.inval;
      // A directory that the policy names stays, as does what leads to one.
      if (node.policy !== undefined) return ERRNO.acces;
      return fs.removeDirectory(lookup.parent, lookup.name, node);
    },

    path_rename(
      fromFd: number,
      from: number,
      fromLength: number,
      toFd: number,
      to: number,
      toLength: number,
    ): number {
      guest.enter();
      const source = find(fromFd, RIGHTS.path_rename_source, from, fromLength, false, false);
      if (source !== ERRNO.success) return source;
      const { parent, name, node, slash, dots } = lookup;
      const target = find(toFd, RIGHTS.path_rename_target, to, toLength, false, false);
      if (target !== ERRNO.success) return target;
      if (node === undefined) return ERRNO.noent;
      if (dots || lookup.dots) return ERRNO.inval;
      const isDirectory = node instanceof DirectoryNode;
      if ((slash || lookup.slash) && !isDirectory) return ERRNO.notdir;
      const refused = mayMove({ parent, name, node }, lookup);
      if (refused !== ERRNO.success) return refused;
      return fs.rename(
        { parent, name, node },
        { parent: lookup.parent, name: lookup.name, node: lookup.node },
      );
    },

    path_symlink(
      target: number,
      targetLength: number,
      fd: number,
      path: number,
      length: number,
    ): number {
      guest.enter();
      const text = pathArgument(guest, target, targetLength);
      if (typeof text === "number") return text;
      const found = find(fd, RIGHTS.path_symlink, path, length, false, false);
      if (found !== ERRNO.success) return found;
      if (text === "") return ERRNO.noent;
      if (text.startsWith("/")) return ERRNO.notcapable;
      if (lookup.node !== undefined) return ERRNO.exist;
      if (lookup.slash) return ERRNO.noent;
      return fs.createLink(lookup.parent, lookup.name, text);
    },

    path_unlink_file(fd: number, path: number, length: number): number {
      guest.enter();
      const found = find(fd, RIGHTS.path_unlink_file, path, length, false, false);
      if (found !== ERRNO.success) return found;
      const node = lookup.node;
      if (node === undefined) return ERRNO.noent;
      if (node instanceof DirectoryNode) return ERRNO.isdir;
      if (lookup.slash) return ERRNO.notdir;
      fs.removeName(lookup.parent, lookup.name, node);
      return ERRNO.success;
    },
  };
}
