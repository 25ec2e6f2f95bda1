// Open descriptors of a guest: what each refers to, what it may do, and where it stands.
import { RIGHTS } from "@holdfast/policy";
import { FileNode } from "../vfs/file-node.ts";
import type { FileSystem } from "../vfs/file-system.ts";
import type { Listing } from "../vfs/listing.ts";
import type { DirectoryNode } from "../vfs/nodes.ts";
import { ERRNO } from "./errno.ts";

/** Bits a guest may ask for; bit 29 of a policy is execution, which says nothing to WASI. */
export const GUEST_RIGHTS: number = 2 ** 29 - 1;

/** Rights that act on what lies below a directory; the policy is asked again for each path. */
export const PATH_RIGHTS: number =
  RIGHTS.path_create_directory |
  RIGHTS.path_create_file |
  RIGHTS.path_link_source |
  RIGHTS.path_link_target |
  RIGHTS.path_open |
  RIGHTS.path_readlink |
  RIGHTS.path_rename_source |
  RIGHTS.path_rename_target |
  RIGHTS.path_filestat_get |
  RIGHTS.path_filestat_set_size |
  RIGHTS.path_filestat_set_times |
  RIGHTS.path_symlink |
  RIGHTS.path_remove_directory |
  RIGHTS.path_unlink_file;

/** Rights that mean something on a directory itself. */
export const DIRECTORY_RIGHTS: number =
  PATH_RIGHTS |
  RIGHTS.fd_readdir |
  RIGHTS.fd_filestat_get |
  RIGHTS.fd_filestat_set_times |
  RIGHTS.fd_fdstat_set_flags |
  RIGHTS.fd_sync |
  RIGHTS.fd_datasync;

/** Rights that mean something on a file. */
export const FILE_RIGHTS: number =
  RIGHTS.fd_datasync |
  RIGHTS.fd_read |
  RIGHTS.fd_seek |
  RIGHTS.fd_fdstat_set_flags |
  RIGHTS.fd_sync |
  RIGHTS.fd_tell |
  RIGHTS.fd_write |
  RIGHTS.fd_advise |
  RIGHTS.fd_allocate |
  RIGHTS.fd_filestat_get |
  RIGHTS.fd_filestat_set_size |
  RIGHTS.fd_filestat_set_times |
  RIGHTS.poll_fd_readwrite;

/** Rights that mean something on a stream: no seeking, which is also how a C library knows a terminal. */
export const STREAM_RIGHTS: number =
  RIGHTS.fd_read |
  RIGHTS.fd_write |
  RIGHTS.fd_datasync |
  RIGHTS.fd_sync |
  RIGHTS.fd_fdstat_set_flags |
  RIGHTS.fd_filestat_get |
  RIGHTS.poll_fd_readwrite;

/** One open descriptor. */
export class Descriptor {
  /** The file or directory; undefined for a stream. */
  readonly file: FileNode | undefined;
  readonly directory: DirectoryNode | undefined;
  /** 0, 1 and 2 for the streams, -1 for others. */
  readonly stream: number;
  rights: number;
  inheriting: number;
  flags = 0;
  position = 0;
  /** Name of a directory that was open from the start. */
  preopen: string | undefined;
  /** The listing that cookies count in. */
  listing: Listing | undefined;

  constructor(what: FileNode | DirectoryNode | number, rights: number, inheriting: number) {
    this.file = what instanceof FileNode ? what : undefined;
    this.directory = typeof what === "object" && !(what instanceof FileNode) ? what : undefined;
    this.stream = typeof what === "number" ? what : -1;
    this.rights = rights;
    this.inheriting = inheriting;
  }
}

/** The first number that is not a stream's; those are never given to anything else. */
const FIRST = 3;

/** All descriptors of a guest. */
export class DescriptorTable {
  readonly #open: (Descriptor | undefined)[] = [undefined, undefined, undefined];
  readonly #maximum: number;
  readonly #fs: FileSystem;
  #lowestFree = FIRST;
  #count = 0;

  constructor(fs: FileSystem, maximum: number) {
    this.#fs = fs;
    this.#maximum = maximum;
  }

  /** The descriptor of a number. */
  get(fd: number): Descriptor | undefined {
    return this.#open[fd >>> 0];
  }

  /** Puts a stream at its number. */
  setStream(descriptor: Descriptor): void {
    this.#open[descriptor.stream] = descriptor;
  }

  /** Whether one more may be opened. */
  get hasRoom(): boolean {
    return this.#count < this.#maximum;
  }

  /** Gives the lowest free number. Ask `hasRoom` first. */
  add(descriptor: Descriptor): number {
    let fd = this.#lowestFree;
    while (this.#open[fd] !== undefined) fd += 1;
    this.#open[fd] = descriptor;
    this.#lowestFree = fd + 1;
    this.#count += 1;
    if (descriptor.file !== undefined) descriptor.file.opens += 1;
    return fd;
  }

  close(fd: number): number {
    const descriptor = this.get(fd);
    if (descriptor === undefined) return ERRNO.badf;
    this.#drop(fd);
    if (descriptor.file !== undefined) this.#fs.closed(descriptor.file);
    return ERRNO.success;
  }

  /** Moves a descriptor to the number of another, which is closed; both must be open. */
  renumber(from: number, to: number): number {
    const moved = this.get(from);
    const replaced = this.get(to);
    if (moved === undefined || replaced === undefined) return ERRNO.badf;
    if (from === to) return ERRNO.success;
    this.#drop(from);
    this.#open[to] = moved;
    if (replaced.file !== undefined) this.#fs.closed(replaced.file);
    return ERRNO.success;
  }

  #drop(fd: number): void {
    this.#open[fd] = undefined;
    if (fd >= FIRST) {
      this.#count -= 1;
      if (fd < this.#lowestFree) this.#lowestFree = fd;
    }
  }
}
