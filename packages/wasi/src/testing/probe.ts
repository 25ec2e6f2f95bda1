// Calls the host as a guest would, one call at a time, with text for paths. For tests.
import { KNOWN_RIGHTS, normalizePath, type RightsTable } from "@holdfast/policy";
import type { Guest } from "../host/guest.ts";
import { guestImports } from "../host/imports.ts";
import { createRing } from "../host/ring.ts";
import { MODULE_PREVIEW1 } from "../module/interface.ts";
import { directoriesOf, limitsOf, neededDirectories, preopensOf } from "../run/defaults.ts";
import type { GuestClock, RunLimits } from "../run/options.ts";
import { reachable } from "../run/reachable.ts";
import { FileStore } from "../store/file-store.ts";
import type { Changes } from "../store/snapshot.ts";
import { captureChanges } from "../vfs/snapshot-files.ts";
import { makeGuest } from "../worker/run-job.ts";

/** How a probe is set up. */
export interface ProbeOptions {
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** By path as policies spell it: with a slash at the end where a directory is meant. */
  readonly rights?: RightsTable;
  readonly clock?: GuestClock;
  readonly limits?: RunLimits;
  readonly stdin?: string;
  readonly generation?: string;
  readonly store?: FileStore;
}

/** Flags of path_open. */
export interface OpenFlags {
  readonly oflags?: number;
  readonly rights?: number;
  readonly inheriting?: number;
  readonly fdflags?: number;
  readonly follow?: boolean;
}

/** Everything a right can be asked for in path_open. */
export const ALL: number = 2 ** 29 - 1;
export const CREATE = 1;
export const DIRECTORY = 2;
export const EXCLUSIVE = 4;
export const TRUNCATE = 8;
export const APPEND = 1;

const EVERYTHING: RightsTable = new Map(
  ["/", "stdin", "stdout", "stderr"].map((path) => [path, KNOWN_RIGHTS]),
);
const PATH_AT = 1024;
const PATH2_AT = 8192;
const VECTOR_AT = 512;
export const RESULT_AT = 768;
export const DATA_AT = 65_536;
const PAGES = 64;

type Call = (...values: (number | bigint)[]) => number;

/** Results are non-negative; errors are the negative of their number. */
export class Probe {
  readonly guest: Guest;
  readonly store: FileStore;
  readonly call: Readonly<Record<string, Call>>;
  readonly memory: WebAssembly.Memory;
  readonly #snapshot;

  constructor(options: ProbeOptions = {}) {
    this.store = options.store ?? new FileStore({ maximumBytes: 1 << 30 });
    for (const [path, content] of Object.entries(options.files ?? {})) {
      const writer = this.store.openWrite(path);
      writer.write(typeof content === "string" ? Buffer.from(content) : content);
      writer.commit();
    }
    const spelled = options.rights ?? EVERYTHING;
    const rights = new Map([...spelled].map(([path, bits]) => [normalizePath(path), bits]));
    this.#snapshot = reachable(this.store.snapshot(), rights);
    const directories = directoriesOf(
      {
        rights,
        directories: [...spelled.keys()].filter((path) => path.endsWith("/")).map(normalizePath),
      },
      this.#snapshot,
    );
    this.memory = new WebAssembly.Memory({ initial: PAGES });
    this.guest = makeGuest({
      snapshot: this.#snapshot,
      rights: [...rights],
      directories: neededDirectories(rights, directories),
      preopens: preopensOf(directories),
      arguments: ["program", "first"],
      environment: { NAME: "value" },
      clock: options.clock ?? "system",
      random: "system",
      stdin: Buffer.from(options.stdin ?? ""),
      ring: createRing(),
      ...limitsOf(options.limits),
    });
    this.guest.memory.attach(this.memory);
    const generation = options.generation ?? MODULE_PREVIEW1;
    this.call = guestImports(this.guest)[generation] as unknown as Record<string, Call>;
  }

  /** The descriptor that is preopened under a name; the root when none is given. */
  dir(name = "/"): number {
    for (let fd = 3; ; fd += 1) {
      const preopen = this.guest.descriptors.get(fd)?.preopen;
      if (preopen === undefined) throw new Error(`${name} is not preopened`);
      if (preopen === name) return fd;
    }
  }

  open(fd: number, path: string, flags: OpenFlags = {}): number {
    const { oflags = 0, rights = ALL & ~0x40, inheriting = ALL, fdflags = 0 } = flags;
    const errno = this.do(
      "path_open",
      fd,
      flags.follow === false ? 0 : 1,
      ...this.path(path),
      oflags,
      BigInt(rights),
      BigInt(inheriting),
      fdflags,
      RESULT_AT,
    );
    return errno === 0 ? this.u32(RESULT_AT) : -errno;
  }

  /** Opens, or makes, a file for reading and writing. */
  create(fd: number, path: string, flags: OpenFlags = {}): number {
    return this.open(fd, path, { oflags: CREATE, rights: ALL, ...flags });
  }

  write(fd: number, text: string | Uint8Array, offset?: bigint): number {
    const bytes = Buffer.from(text);
    this.bytes.set(bytes, DATA_AT);
    this.#vector(bytes.length);
    return this.#counted(
      offset === undefined
        ? this.do("fd_write", fd, VECTOR_AT, 1, RESULT_AT)
        : this.do("fd_pwrite", fd, VECTOR_AT, 1, offset, RESULT_AT),
    );
  }

  /** Text that was read, or the negative error number. */
  read(fd: number, length = 4096, offset?: bigint): string | number {
    this.#vector(length);
    const count = this.#counted(
      offset === undefined
        ? this.do("fd_read", fd, VECTOR_AT, 1, RESULT_AT)
        : this.do("fd_pread", fd, VECTOR_AT, 1, offset, RESULT_AT),
    );
    return count < 0
      ? count
      : Buffer.from(this.bytes.subarray(DATA_AT, DATA_AT + count)).toString();
  }

  seek(fd: number, offset: bigint, whence: number): number {
    const errno = this.do("fd_seek", fd, offset, whence, RESULT_AT);
    return errno === 0 ? Number(this.u64(RESULT_AT)) : -errno;
  }

  /** Whole file from its beginning, opened for it. */
  text(path: string): string | number {
    const fd = this.open(this.dir(), path, { rights: ALL & ~0x40 });
    if (fd < 0) return fd;
    const text = this.read(fd, 1 << 20);
    this.do("fd_close", fd);
    return text;
  }

  /** Names in a directory without `.` and `..`. */
  names(fd: number): string[] | number {
    const room = 1 << 16;
    const errno = this.do("fd_readdir", fd, DATA_AT, room, 0n, RESULT_AT);
    if (errno !== 0) return -errno;
    const names: string[] = [];
    const end = DATA_AT + this.u32(RESULT_AT);
    for (let at = DATA_AT; at < end; ) {
      const length = this.u32(at + 16);
      names.push(Buffer.from(this.bytes.subarray(at + 24, at + 24 + length)).toString());
      at += 24 + length;
    }
    return names.filter((name) => name !== "." && name !== "..");
  }

  /** Size and type at a path, or the negative error number. */
  stat(
    fd: number,
    path: string,
    follow = true,
  ): { size: number; filetype: number; links: number; ino: number; modified: bigint } | number {
    const errno = this.do("path_filestat_get", fd, follow ? 1 : 0, ...this.path(path), RESULT_AT);
    return errno !== 0 ? -errno : this.#statAt(RESULT_AT);
  }

  /** Calls a function whose arguments are a descriptor and a path. */
  named(name: string, fd: number, path: string): number {
    return 0 - this.do(name, fd, ...this.path(path));
  }

  rename(fromFd: number, from: string, toFd: number, to: string): number {
    return 0 - this.do("path_rename", fromFd, ...this.path(from), toFd, ...this.path(to, PATH2_AT));
  }

  link(fromFd: number, from: string, toFd: number, to: string): number {
    return (
      0 - this.do("path_link", fromFd, 0, ...this.path(from), toFd, ...this.path(to, PATH2_AT))
    );
  }

  symlink(target: string, fd: number, path: string): number {
    return 0 - this.do("path_symlink", ...this.path(target), fd, ...this.path(path, PATH2_AT));
  }

  readlink(fd: number, path: string): string | number {
    const errno = this.do("path_readlink", fd, ...this.path(path), DATA_AT, 4096, RESULT_AT);
    if (errno !== 0) return -errno;
    return Buffer.from(this.bytes.subarray(DATA_AT, DATA_AT + this.u32(RESULT_AT))).toString();
  }

  /** Any call; the error number as it is. */
  do(name: string, ...values: (number | bigint)[]): number {
    const call = this.call[name];
    if (call === undefined) throw new Error(`no call ${name}`);
    return call(...values);
  }

  /** Pointer and length of a path put into memory. */
  path(path: string, at: number = PATH_AT): [number, number] {
    const bytes = Buffer.from(path);
    this.bytes.set(bytes, at);
    return [at, bytes.length];
  }

  changes(): Changes {
    return captureChanges(this.guest.fs, this.#snapshot);
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }

  u32(at: number): number {
    return new DataView(this.memory.buffer).getUint32(at, true);
  }

  u64(at: number): bigint {
    return new DataView(this.memory.buffer).getBigUint64(at, true);
  }

  #vector(length: number): void {
    const view = new DataView(this.memory.buffer);
    view.setUint32(VECTOR_AT, DATA_AT, true);
    view.setUint32(VECTOR_AT + 4, length, true);
  }

  #counted(errno: number): number {
    return errno === 0 ? this.u32(RESULT_AT) : -errno;
  }

  #statAt(at: number) {
    return {
      ino: Number(this.u64(at + 8)),
      filetype: this.bytes[at + 16] ?? 0,
      links: Number(this.u64(at + 24)),
      size: Number(this.u64(at + 32)),
      modified: this.u64(at + 48),
    };
  }
}
