// Reading, writing and seeking (WASI Preview 1, fd_read to fd_tell). What a guest does most, so nothing is allocated.
import { RIGHTS } from "@holdfast/policy";
import type { FileNode } from "../vfs/file-node.ts";
import { signed, unsigned } from "./adapter.ts";
import type { Descriptor } from "./descriptors.ts";
import { ERRNO } from "./errno.ts";
import type { Guest } from "./guest.ts";

/** The most buffers of one call. */
const MAXIMUM_BUFFERS = 1024;
const IOVEC_BYTES = 8;
const APPEND = 1;
/** Positions are numbers: exact up to here, and no file gets anywhere near. */
const MAXIMUM_POSITION = Number.MAX_SAFE_INTEGER;

/** Where fd_seek counts from; the older generation numbers them otherwise. */
export interface Whence {
  readonly set: number;
  readonly current: number;
  readonly end: number;
}

/** The calls, for a guest. */
export function ioCalls(guest: Guest, whence: Whence) {
  const { descriptors, fs, ring } = guest;

  function checkVectors(vectors: number, count: number, result: number): number {
    const memory = guest.memory;
    if (count > MAXIMUM_BUFFERS) return ERRNO.inval;
    const fits = memory.fits(vectors, count * IOVEC_BYTES) && memory.fits(result, 4);
    return fits ? ERRNO.success : ERRNO.fault;
  }

  function readFile(file: FileNode, from: number, vectors: number, count: number, result: number) {
    const memory = guest.memory;
    if (!file.wasRead) fs.noteRead(file);
    let position = from;
    for (let index = 0; index < count; index += 1) {
      const at = memory.u32(vectors + index * IOVEC_BYTES);
      const length = memory.u32(vectors + index * IOVEC_BYTES + 4);
      if (!memory.fits(at, length)) return ERRNO.fault;
      const left = file.size - position;
      const part = length < left ? length : left;
      if (part <= 0) continue;
      file.copyOut(memory.buffer, at, position, part);
      position += part;
    }
    ring.countRead(position - from);
    memory.setU32(result, position - from);
    return ERRNO.success;
  }

  function writeFile(file: FileNode, to: number, vectors: number, count: number, result: number) {
    const memory = guest.memory;
    let position = to;
    for (let index = 0; index < count; index += 1) {
      const at = memory.u32(vectors + index * IOVEC_BYTES);
      const length = memory.u32(vectors + index * IOVEC_BYTES + 4);
      if (!memory.fits(at, length)) return ERRNO.fault;
      if (length === 0) continue;
      if (!fs.write(file, memory.buffer, at, position, length)) {
        if (position === to) return ERRNO.nospc;
        break;
      }
      position += length;
    }
    ring.countWritten(position - to);
    memory.setU32(result, position - to);
    return ERRNO.success;
  }

  function readStdin(vectors: number, count: number, result: number): number {
    const memory = guest.memory;
    let done = 0;
    for (let index = 0; index < count; index += 1) {
      const at = memory.u32(vectors + index * IOVEC_BYTES);
      const length = memory.u32(vectors + index * IOVEC_BYTES + 4);
      if (!memory.fits(at, length)) return ERRNO.fault;
      const part = Math.min(length, guest.stdin.length - guest.stdinAt);
      guest.stdin.copy(memory.buffer, at, guest.stdinAt, guest.stdinAt + part);
      guest.stdinAt += part;
      done += part;
    }
    ring.countRead(done);
    memory.setU32(result, done);
    return ERRNO.success;
  }

  function writeStream(stream: number, vectors: number, count: number, result: number): number {
    const memory = guest.memory;
    let done = 0;
    for (let index = 0; index < count; index += 1) {
      const at = memory.u32(vectors + index * IOVEC_BYTES);
      const length = memory.u32(vectors + index * IOVEC_BYTES + 4);
      if (!memory.fits(at, length)) return ERRNO.fault;
      guest.output(stream, at, length);
      done += length;
    }
    ring.countWritten(done);
    memory.setU32(result, done);
    return ERRNO.success;
  }

  /** What reading and writing at a given place have in common. */
  function atPosition(
    fd: number,
    right: number,
    vectors: number,
    count: number,
    position: number,
    result: number,
    act: (...values: Parameters<typeof readFile>) => number,
  ): number {
    guest.enter();
    const descriptor = descriptors.get(fd);
    if (descriptor === undefined) return ERRNO.badf;
    if (descriptor.directory !== undefined) return ERRNO.isdir;
    if (descriptor.file === undefined) return ERRNO.spipe;
    const need = right | RIGHTS.fd_seek;
    if ((descriptor.rights & need) !== need) return ERRNO.notcapable;
    const unfit = checkVectors(vectors, count, result);
    if (unfit !== ERRNO.success) return unfit;
    if (position > MAXIMUM_POSITION) return ERRNO.inval;
    return act(descriptor.file, position, vectors, count, result);
  }

  function seekTarget(descriptor: Descriptor, offset: number, from: number): number {
    if (from === whence.set) return offset;
    if (from === whence.current) return descriptor.position + offset;
    if (from === whence.end) return (descriptor.file?.size ?? 0) + offset;
    return -1;
  }

  return {
    fd_read(fd: number, vectors: number, count: number, result: number): number {
      guest.enter();
      const descriptor = descriptors.get(fd);
      if (descriptor === undefined) return ERRNO.badf;
      if (descriptor.directory !== undefined) return ERRNO.isdir;
      if ((descriptor.rights & RIGHTS.fd_read) === 0) return ERRNO.notcapable;
      const [at, length, to] = [vectors >>> 0, count >>> 0, result >>> 0];
      const unfit = checkVectors(at, length, to);
      if (unfit !== ERRNO.success) return unfit;
      if (descriptor.file === undefined) return readStdin(at, length, to);
      const errno = readFile(descriptor.file, descriptor.position, at, length, to);
      if (errno === ERRNO.success) descriptor.position += guest.memory.u32(to);
      return errno;
    },

    fd_pread(
      fd: number,
      vectors: number,
      count: number,
      low: number,
      high: number,
      result: number,
    ): number {
      const position = unsigned(low, high);
      return atPosition(
        fd,
        RIGHTS.fd_read,
        vectors >>> 0,
        count >>> 0,
        position,
        result >>> 0,
        readFile,
      );
    },

    fd_write(fd: number, vectors: number, count: number, result: number): number {
      guest.enter();
      const descriptor = descriptors.get(fd);
      if (descriptor === undefined) return ERRNO.badf;
      if (descriptor.directory !== undefined) return ERRNO.isdir;
      if ((descriptor.rights & RIGHTS.fd_write) === 0) return ERRNO.notcapable;
      const [at, length, to] = [vectors >>> 0, count >>> 0, result >>> 0];
      const unfit = checkVectors(at, length, to);
      if (unfit !== ERRNO.success) return unfit;
      const file = descriptor.file;
      if (file === undefined) return writeStream(descriptor.stream, at, length, to);
      if ((descriptor.flags & APPEND) !== 0) descriptor.position = file.size;
      const errno = writeFile(file, descriptor.position, at, length, to);
      if (errno === ERRNO.success) descriptor.position += guest.memory.u32(to);
      return errno;
    },

    fd_pwrite(
      fd: number,
      vectors: number,
      count: number,
      low: number,
      high: number,
      result: number,
    ): number {
      const position = unsigned(low, high);
      return atPosition(
        fd,
        RIGHTS.fd_write,
        vectors >>> 0,
        count >>> 0,
        position,
        result >>> 0,
        writeFile,
      );
    },

    fd_seek(fd: number, low: number, high: number, from: number, result: number): number {
      const memory = guest.enter();
      const descriptor = descriptors.get(fd);
      if (descriptor === undefined) return ERRNO.badf;
      if (descriptor.stream >= 0) return ERRNO.spipe;
      const move = signed(low, high);
      // Asking for the position takes less: the right to tell is enough.
      const need =
        move === 0 && from === whence.current ? RIGHTS.fd_seek | RIGHTS.fd_tell : RIGHTS.fd_seek;
      if ((descriptor.rights & need) === 0) return ERRNO.notcapable;
      if (!memory.fits(result >>> 0, 8)) return ERRNO.fault;
      const position = seekTarget(descriptor, move, from);
      if (!(position >= 0 && position <= MAXIMUM_POSITION)) return ERRNO.inval;
      descriptor.position = position;
      memory.setU64(result >>> 0, position);
      return ERRNO.success;
    },

    fd_tell(fd: number, result: number): number {
      const memory = guest.enter();
      const descriptor = descriptors.get(fd);
      if (descriptor === undefined) return ERRNO.badf;
      if (descriptor.stream >= 0) return ERRNO.spipe;
      if ((descriptor.rights & (RIGHTS.fd_seek | RIGHTS.fd_tell)) === 0) return ERRNO.notcapable;
      if (!memory.fits(result >>> 0, 8)) return ERRNO.fault;
      memory.setU64(result >>> 0, descriptor.position);
      return ERRNO.success;
    },
  };
}
