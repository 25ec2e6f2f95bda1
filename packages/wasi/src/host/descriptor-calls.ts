// What is asked of and done to a descriptor as a whole (WASI Preview 1, fd_advise to fd_sync without reading and writing).
import { RIGHTS } from "@holdfast/policy";
import { listingOf } from "../vfs/listing.ts";
import { FILETYPE } from "../vfs/nodes.ts";
import { unsigned, unsignedBig } from "./adapter.ts";
import { GUEST_RIGHTS } from "./descriptors.ts";
import { ERRNO } from "./errno.ts";
import type { Guest } from "./guest.ts";
import { type StatLayout, setTimes, writeStat } from "./stat.ts";

const FDSTAT_BYTES = 24;
const ADVICES = 6;
/** append, dsync, nonblock, rsync, sync. */
export const FDFLAGS_ALL = 31;

const STREAM_FACTS = {
  ino: 0,
  filetype: FILETYPE.character,
  links: 1,
  size: 0,
  accessed: 0,
  modified: 0,
  changed: 0,
};

/** The calls, for a guest. */
export function descriptorCalls(guest: Guest, layout: StatLayout) {
  const { descriptors, fs } = guest;

  /** The file of a descriptor that has a right; an error number otherwise. */
  function fileOf(fd: number, right: number) {
    guest.enter();
    const descriptor = descriptors.get(fd);
    if (descriptor === undefined) return ERRNO.badf;
    if ((descriptor.rights & right) === 0) return ERRNO.notcapable;
    return descriptor.file ?? (descriptor.directory === undefined ? ERRNO.spipe : ERRNO.isdir);
  }

  function sync(fd: number, right: number): number {
    guest.enter();
    const descriptor = descriptors.get(fd);
    if (descriptor === undefined) return ERRNO.badf;
    return (descriptor.rights & right) === 0 ? ERRNO.notcapable : ERRNO.success;
  }

  return {
    fd_advise(
      fd: number,
      _offset: number,
      _offsetHigh: number,
      _length: number,
      _lengthHigh: number,
      advice: number,
    ): number {
      const file = fileOf(fd, RIGHTS.fd_advise);
      if (typeof file === "number") return file;
      return advice >= 0 && advice < ADVICES ? ERRNO.success : ERRNO.inval;
    },

    fd_allocate(
      fd: number,
      offset: number,
      offsetHigh: number,
      length: number,
      lengthHigh: number,
    ): number {
      const file = fileOf(fd, RIGHTS.fd_allocate);
      if (typeof file === "number") return file;
      const wanted = unsigned(length, lengthHigh);
      const end = unsigned(offset, offsetHigh) + wanted;
      if (wanted === 0) return ERRNO.inval;
      if (end > Number.MAX_SAFE_INTEGER) return ERRNO.fbig;
      return end > file.size ? fs.resize(file, end) : ERRNO.success;
    },

    fd_close(fd: number): number {
      guest.enter();
      return descriptors.close(fd);
    },

    fd_datasync: (fd: number): number => sync(fd, RIGHTS.fd_datasync),
    fd_sync: (fd: number): number => sync(fd, RIGHTS.fd_sync),

    fd_fdstat_get(fd: number, result: number): number {
      const memory = guest.enter();
      const at = result >>> 0;
      const descriptor = descriptors.get(fd);
      if (descriptor === undefined) return ERRNO.badf;
      if (!memory.fits(at, FDSTAT_BYTES)) return ERRNO.fault;
      const filetype =
        descriptor.file?.filetype ?? descriptor.directory?.filetype ?? FILETYPE.character;
      memory.setU64(at, filetype);
      memory.setU16(at + 2, descriptor.flags);
      memory.setU64(at + 8, descriptor.rights);
      memory.setU64(at + 16, descriptor.inheriting);
      return ERRNO.success;
    },

    fd_fdstat_set_flags(fd: number, flags: number): number {
      guest.enter();
      const descriptor = descriptors.get(fd);
      if (descriptor === undefined) return ERRNO.badf;
      if ((descriptor.rights & RIGHTS.fd_fdstat_set_flags) === 0) return ERRNO.notcapable;
      if ((flags & ~FDFLAGS_ALL) !== 0) return ERRNO.inval;
      if (descriptor.directory === undefined) descriptor.flags = flags;
      return ERRNO.success;
    },

    fd_fdstat_set_rights(
      fd: number,
      base: number,
      _baseHigh: number,
      inheriting: number,
      _inheritingHigh: number,
    ): number {
      guest.enter();
      const descriptor = descriptors.get(fd);
      if (descriptor === undefined) return ERRNO.badf;
      const [rights, below] = [guestRights(base), guestRights(inheriting)];
      if ((rights & ~descriptor.rights) !== 0 || (below & ~descriptor.inheriting) !== 0) {
        return ERRNO.notcapable;
      }
      descriptor.rights = rights;
      descriptor.inheriting = below;
      return ERRNO.success;
    },

    fd_filestat_get(fd: number, result: number): number {
      const memory = guest.enter();
      const descriptor = descriptors.get(fd);
      if (descriptor === undefined) return ERRNO.badf;
      if ((descriptor.rights & RIGHTS.fd_filestat_get) === 0) return ERRNO.notcapable;
      if (!memory.fits(result >>> 0, layout.bytes)) return ERRNO.fault;
      const node = descriptor.file ?? descriptor.directory ?? STREAM_FACTS;
      writeStat(memory, layout, result >>> 0, node);
      return ERRNO.success;
    },

    fd_filestat_set_size(fd: number, size: number, sizeHigh: number): number {
      const file = fileOf(fd, RIGHTS.fd_filestat_set_size);
      if (typeof file === "number") return file;
      const wanted = unsigned(size, sizeHigh);
      return wanted > Number.MAX_SAFE_INTEGER ? ERRNO.fbig : fs.resize(file, wanted);
    },

    fd_filestat_set_times(
      fd: number,
      accessed: number,
      accessedHigh: number,
      modified: number,
      modifiedHigh: number,
      flags: number,
    ): number {
      guest.enter();
      const descriptor = descriptors.get(fd);
      if (descriptor === undefined) return ERRNO.badf;
      if ((descriptor.rights & RIGHTS.fd_filestat_set_times) === 0) return ERRNO.notcapable;
      const node = descriptor.file ?? descriptor.directory;
      if (node === undefined) return ERRNO.inval;
      const times = [
        unsignedBig(accessed, accessedHigh),
        unsignedBig(modified, modifiedHigh),
      ] as const;
      return setTimes(fs, node, times, flags);
    },

    fd_prestat_get(fd: number, result: number): number {
      const memory = guest.enter();
      const name = descriptors.get(fd)?.preopen;
      if (name === undefined) return ERRNO.badf;
      if (!memory.fits(result >>> 0, 8)) return ERRNO.fault;
      memory.setU32(result >>> 0, 0);
      memory.setU32((result >>> 0) + 4, Buffer.byteLength(name));
      return ERRNO.success;
    },

    fd_prestat_dir_name(fd: number, path: number, length: number): number {
      const memory = guest.enter();
      const name = descriptors.get(fd)?.preopen;
      if (name === undefined) return ERRNO.badf;
      const bytes = Buffer.from(name);
      if (length >>> 0 < bytes.length) return ERRNO.nametoolong;
      if (!memory.fits(path >>> 0, length >>> 0)) return ERRNO.fault;
      memory.bytes.set(bytes, path >>> 0);
      return ERRNO.success;
    },

    fd_readdir(
      fd: number,
      buffer: number,
      length: number,
      cookieLow: number,
      cookieHigh: number,
      result: number,
    ): number {
      const memory = guest.enter();
      const [at, room, to] = [buffer >>> 0, length >>> 0, result >>> 0];
      const descriptor = descriptors.get(fd);
      if (descriptor === undefined) return ERRNO.badf;
      if (descriptor.directory === undefined) return ERRNO.notdir;
      if ((descriptor.rights & RIGHTS.fd_readdir) === 0) return ERRNO.notcapable;
      if (!memory.fits(at, room) || !memory.fits(to, 4)) return ERRNO.fault;
      const cookie = unsigned(cookieLow, cookieHigh);
      if (cookie === 0 || descriptor.listing === undefined) {
        descriptor.listing = listingOf(descriptor.directory);
      }
      const { bytes, starts } = descriptor.listing;
      const from = starts[cookie] ?? bytes.length;
      const count = Math.min(room, bytes.length - from);
      memory.bytes.set(
        from === 0 && count === bytes.length ? bytes : bytes.subarray(from, from + count),
        at,
      );
      memory.setU32(to, count);
      return ERRNO.success;
    },

    fd_renumber(from: number, to: number): number {
      guest.enter();
      return descriptors.renumber(from, to);
    },
  };
}

/** The bits of a rights argument that mean something here; all are in its low half. */
export function guestRights(low: number): number {
  return low & GUEST_RIGHTS;
}
