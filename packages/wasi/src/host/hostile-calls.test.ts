// Calls that a hostile guest makes, one by one: each answers the documented error number, and the host goes on.
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { KNOWN_RIGHTS, RIGHTS } from "@holdfast/policy";
import {
  ALL,
  CREATE,
  DATA_AT,
  DIRECTORY,
  EXCLUSIVE,
  Probe,
  RESULT_AT,
  TRUNCATE,
} from "../testing/probe.ts";
import { ERRNO } from "./errno.ts";

/** Bytes of a probe's memory. */
const END = 64 * 65_536;
const VECTORS = 32_768;
let probe = new Probe();
/** Whatever was called, the next calls work. */
afterEach(() => {
  const fd = probe.create(probe.dir(), "alive");
  assert.ok(fd > 0 || fd === -ERRNO.mfile, `${fd}`);
  if (fd > 0) assert.equal(probe.write(fd, "alive"), 5);
  probe = new Probe();
});

/** Puts vectors of [pointer, length] into memory. */
function vectors(...all: readonly (readonly [number, number])[]): [number, number] {
  const view = new DataView(probe.memory.buffer);
  for (const [index, [at, length]] of all.entries()) {
    view.setUint32(VECTORS + index * 8, at, true);
    view.setUint32(VECTORS + index * 8 + 4, length, true);
  }
  return [VECTORS, all.length];
}

describe("path_open with every right, asked for alone and left out", () => {
  for (const [name, bit] of Object.entries(RIGHTS)) {
    it(name, () => {
      const rights = new Map([
        ["/all/", KNOWN_RIGHTS],
        ["/only/", RIGHTS.path_open | bit],
        ["/without/", KNOWN_RIGHTS & ~bit],
      ]);
      const files = { "/all/f": "x", "/only/f": "x", "/without/f": "x" };
      probe = new Probe({ rights, files });
      const reading = bit === RIGHTS.fd_read || bit === RIGHTS.fd_write;
      const asked = bit & ALL;
      // What an entry grants is had; what it lacks is left out, but reading and writing fail at once.
      assert.ok(probe.open(probe.dir("/all"), "f", { rights: asked }) > 0);
      assert.ok(probe.open(probe.dir("/only"), "f", { rights: asked }) > 0);
      const without = probe.open(probe.dir("/without"), "f", { rights: asked, inheriting: 0 });
      if (bit === RIGHTS.path_open) assert.equal(without, -ERRNO.acces);
      else if (reading) assert.equal(without, -ERRNO.acces);
      else {
        probe.do("fd_fdstat_get", without, RESULT_AT);
        assert.equal(Number(probe.u64(RESULT_AT + 8)) & bit, 0);
      }
      // A descriptor passes on no more than it may.
      const narrow = probe.open(probe.dir("/all"), ".", {
        rights: RIGHTS.path_open,
        inheriting: asked,
      });
      assert.ok(narrow > 0);
      const beyond = probe.open(narrow, "f", { rights: ALL & ~asked, inheriting: 0 });
      if (asked !== 0) assert.equal(beyond, -ERRNO.notcapable);
      probe = new Probe();
    });
  }
});

describe("path_open with flags", () => {
  it("that exclude each other, or that nobody knows, is refused", () => {
    const dir = probe.dir();
    assert.equal(probe.open(dir, "x", { oflags: CREATE | DIRECTORY }), -ERRNO.inval);
    assert.equal(probe.open(dir, "x", { oflags: 16 }), -ERRNO.inval);
    assert.equal(probe.open(dir, "x", { fdflags: 32 }), -ERRNO.inval);
    assert.equal(probe.open(dir, ".", { oflags: CREATE | EXCLUSIVE }), -ERRNO.exist);
    assert.equal(probe.open(dir, ".", { oflags: TRUNCATE, rights: ALL }), -ERRNO.isdir);
    assert.equal(probe.create(dir, "."), -ERRNO.isdir);
    assert.equal(probe.create(dir, "new/"), -ERRNO.isdir);
  });

  it("and a result outside memory, makes no file and takes no descriptor", () => {
    const [at, length] = probe.path("never");
    const open = (result: number) =>
      probe.do("path_open", probe.dir(), 0, at, length, CREATE, BigInt(ALL), 0n, 0, result);
    for (const result of [END, END - 3, -1, 0x8000_0000]) assert.equal(open(result), ERRNO.fault);
    assert.equal(probe.stat(probe.dir(), "never"), -ERRNO.noent);
    const before = probe.create(probe.dir(), "first");
    assert.equal(probe.create(probe.dir(), "second"), before + 1);
  });
});

describe("buffers", () => {
  it("at the very end of memory are taken, one byte further refused", () => {
    const fd = probe.create(probe.dir(), "f");
    const write = (at: number, length: number): number =>
      probe.do("fd_write", fd, ...vectors([at, length]), RESULT_AT);
    assert.equal(write(END - 4, 4), 0);
    assert.equal(write(END, 0), 0);
    assert.equal(write(END - 4, 5), ERRNO.fault);
    assert.equal(write(END, 1), ERRNO.fault);
    assert.equal(write(0xffff_ffff, 0xffff_ffff), ERRNO.fault);
    assert.equal(write(0xffff_ffff, 0), ERRNO.fault);
    assert.equal(write(0, 0xffff_ffff), ERRNO.fault);
  });

  it("that overlap each other, their own list or the result harm nobody", () => {
    const fd = probe.create(probe.dir(), "f");
    probe.write(fd, "0123456789abcdef");
    // Reading over the list of vectors: the second is read as it then stands, and checked.
    const [list, count] = vectors([VECTORS + 8, 8], [DATA_AT, 4], [DATA_AT, 4]);
    assert.equal(probe.do("fd_pread", fd, list, count, 0n, RESULT_AT), ERRNO.fault);
    // Over each other, and over the place of the result, which is written last.
    assert.equal(
      probe.do("fd_pread", fd, ...vectors([DATA_AT, 8], [DATA_AT + 4, 8]), 0n, DATA_AT),
      0,
    );
    assert.equal(probe.u32(DATA_AT), 16);
    assert.equal(
      Buffer.from(probe.bytes.subarray(DATA_AT + 4, DATA_AT + 12)).toString(),
      "89abcdef",
    );
  });

  it("too many in one call are invalid; as many as allowed are not", () => {
    const fd = probe.create(probe.dir(), "f");
    const many = vectors(...Array.from({ length: 1024 }, () => [DATA_AT, 1] as const));
    assert.equal(probe.do("fd_write", fd, ...many, RESULT_AT), 0);
    assert.equal(probe.u32(RESULT_AT), 1024);
    for (const count of [1025, 0x7fff_ffff, 0xffff_ffff]) {
      for (const call of ["fd_write", "fd_read"]) {
        assert.equal(probe.do(call, fd, VECTORS, count, RESULT_AT), ERRNO.inval);
      }
      for (const call of ["fd_pwrite", "fd_pread"]) {
        assert.equal(probe.do(call, fd, VECTORS, count, 0n, RESULT_AT), ERRNO.inval);
      }
    }
  });

  it("are found again when memory has grown between two calls", () => {
    const fd = probe.create(probe.dir(), "f");
    assert.equal(probe.write(fd, "before"), 6);
    probe.memory.grow(0);
    assert.equal(probe.read(fd, 6, 0n), "before");
    probe.memory.grow(3);
    assert.equal(probe.do("fd_pread", fd, ...vectors([END + 100_000, 6]), 0n, RESULT_AT), 0);
    assert.equal(
      Buffer.from(probe.bytes.subarray(END + 100_000, END + 100_006)).toString(),
      "before",
    );
  });

  it("of randomness are filled to the end of memory, and not beyond", () => {
    assert.equal(probe.do("random_get", 0, END), 0);
    assert.notDeepEqual(probe.bytes.subarray(END - 64), new Uint8Array(64));
    assert.equal(probe.do("random_get", 1, END), ERRNO.fault);
    assert.equal(probe.do("random_get", 0, 0xffff_ffff), ERRNO.fault);
    probe.bytes.fill(0);
  });
});

describe("positions and sizes", () => {
  it("beyond what there can be are refused, and change nothing", () => {
    const fd = probe.create(probe.dir(), "f");
    probe.write(fd, "text");
    for (const position of [2n ** 63n, 2n ** 64n - 1n, 2n ** 53n]) {
      assert.equal(probe.read(fd, 1, position), -ERRNO.inval);
      assert.equal(probe.write(fd, "x", position), -ERRNO.inval);
    }
    assert.equal(probe.write(fd, "x", 2n ** 53n - 2n), -ERRNO.nospc);
    assert.equal(probe.do("fd_filestat_set_size", fd, 2n ** 63n), ERRNO.fbig);
    assert.equal(probe.do("fd_filestat_set_size", fd, 2n ** 53n - 1n), ERRNO.nospc);
    assert.equal(probe.do("fd_allocate", fd, 2n ** 64n - 1n, 2n ** 64n - 1n), ERRNO.fbig);
    assert.equal(probe.do("fd_allocate", fd, 0n, 0n), ERRNO.inval);
    for (const offset of [2n ** 63n - 1n, -(2n ** 63n), -5n]) {
      assert.equal(probe.seek(fd, offset, 1), -ERRNO.inval);
    }
    assert.equal(probe.seek(fd, 0n, 3), -ERRNO.inval);
    assert.equal(probe.text("f"), "text");
  });
});

describe("links and names", () => {
  it("that go round, or through forty and more, end in loop", () => {
    const dir = probe.dir();
    assert.equal(probe.symlink("b", dir, "a"), 0);
    assert.equal(probe.symlink("a", dir, "b"), 0);
    assert.equal(probe.symlink("self/self", dir, "self"), 0);
    for (const path of ["a", "a/x", "self", "self/x"])
      assert.equal(probe.open(dir, path), -ERRNO.loop);
    assert.equal(probe.create(dir, "a"), -ERRNO.loop);
    assert.equal(probe.create(dir, "c0"), 4);
    for (let index = 1; index <= 41; index += 1) {
      assert.equal(probe.symlink(`c${index - 1}`, dir, `c${index}`), 0);
    }
    assert.ok(probe.open(dir, "c40") > 0);
    assert.equal(probe.open(dir, "c41"), -ERRNO.loop);
    assert.equal(probe.symlink("x".repeat(1025), dir, "long"), -ERRNO.nametoolong);
    assert.equal(probe.symlink("", dir, "empty"), -ERRNO.noent);
    assert.equal(probe.symlink("a\0b", dir, "nul"), -ERRNO.inval);
  });

  it("with NUL, broken UTF-8 or too many bytes are refused by every call that takes a path", () => {
    const raw = (bytes: readonly number[]): [number, number] => {
      probe.bytes.set(bytes, 1024);
      return [1024, bytes.length];
    };
    const long = Array<number>(256).fill(0x61);
    const cases: readonly (readonly [readonly number[], number])[] = [
      [[0x61, 0x00, 0x62], ERRNO.inval],
      [[0xff], ERRNO.ilseq],
      [[0xc0, 0x80], ERRNO.ilseq],
      [[0xed, 0xa0, 0x80], ERRNO.ilseq],
      [Array<number>(4097).fill(0x61), ERRNO.nametoolong],
    ];
    const dir = probe.dir();
    for (const [bytes, errno] of cases) {
      const calls = [
        probe.do("path_create_directory", dir, ...raw(bytes)),
        probe.do("path_unlink_file", dir, ...raw(bytes)),
        probe.do("path_remove_directory", dir, ...raw(bytes)),
        probe.do("path_filestat_get", dir, 0, ...raw(bytes), RESULT_AT),
        probe.do("path_filestat_set_times", dir, 0, ...raw(bytes), 0n, 0n, 0),
        probe.do("path_readlink", dir, ...raw(bytes), DATA_AT, 10, RESULT_AT),
        probe.do("path_symlink", ...raw(bytes), dir, ...probe.path("x", 8192)),
        probe.do("path_rename", dir, ...raw(bytes), dir, ...probe.path("x", 8192)),
        probe.do("path_link", dir, 0, ...raw(bytes), dir, ...probe.path("x", 8192)),
        probe.do("path_open", dir, 0, ...raw(bytes), CREATE, 0n, 0n, 0, RESULT_AT),
      ];
      assert.deepEqual(
        calls,
        calls.map(() => errno),
        String(bytes.slice(0, 4)),
      );
    }
    assert.equal(probe.do("path_create_directory", dir, ...raw(long)), ERRNO.nametoolong);
    assert.equal(probe.do("path_create_directory", dir, ...raw(long.slice(1))), 0);
    assert.equal(probe.do("path_create_directory", dir, ...raw([0x0a])), ERRNO.inval);
    assert.equal(
      probe.do("path_open", dir, 0, END - 1, 2, CREATE, 0n, 0n, 0, RESULT_AT),
      ERRNO.fault,
    );
  });

  it("renamed over what is open leave the open file as it is", () => {
    const dir = probe.dir();
    const old = probe.create(dir, "old");
    probe.write(old, "old");
    probe.write(probe.create(dir, "new"), "new text");
    assert.equal(probe.rename(dir, "new", dir, "old"), 0);
    assert.equal(probe.read(old, 10, 0n), "old");
    assert.equal(probe.write(old, "er", 3n), 2);
    assert.equal(probe.read(old, 10, 0n), "older");
    assert.equal(probe.text("old"), "new text");
    probe.do("fd_filestat_get", old, RESULT_AT);
    assert.equal(probe.u64(RESULT_AT + 24), 0n, "it has no name any more");
    assert.equal(probe.do("fd_close", old), 0);
    probe.store.apply(probe.changes());
    assert.deepEqual(
      probe.store.list("/").map(({ path, size }) => [path, size]),
      [["/old", 8]],
    );
  });

  it("of directories do not go into themselves, over full ones, or away from under the root", () => {
    const dir = probe.dir();
    for (const path of ["a", "a/b", "a/b/c", "d", "d/e"]) {
      assert.equal(probe.named("path_create_directory", dir, path), 0);
    }
    assert.equal(probe.rename(dir, "a", dir, "a/b/c/d"), -ERRNO.inval);
    assert.equal(probe.rename(dir, "a", dir, "a/b"), -ERRNO.inval);
    const inside = probe.open(dir, "a/b/c", { oflags: DIRECTORY });
    assert.equal(probe.rename(dir, "a", inside, "a"), -ERRNO.inval);
    assert.equal(probe.rename(dir, "a", dir, "d"), -ERRNO.notempty);
    assert.equal(probe.rename(dir, "a", dir, "."), -ERRNO.inval);
    assert.equal(probe.rename(dir, ".", dir, "x"), -ERRNO.inval);
    assert.equal(probe.rename(dir, "a/b/..", dir, "x"), -ERRNO.inval);
    assert.equal(probe.named("path_remove_directory", dir, "."), -ERRNO.inval);
    assert.equal(probe.named("path_remove_directory", dir, "a"), -ERRNO.notempty);
    assert.equal(probe.rename(dir, "a", dir, "a"), 0);
    probe.create(dir, "f");
    assert.equal(probe.rename(dir, "f", dir, "a"), -ERRNO.isdir);
    assert.equal(probe.rename(dir, "a", dir, "f"), -ERRNO.notdir);
    assert.equal(probe.named("path_unlink_file", dir, "a"), -ERRNO.isdir);
    assert.equal(probe.named("path_remove_directory", dir, "f"), -ERRNO.notdir);
    assert.equal(probe.link(dir, "a", dir, "hard"), -ERRNO.perm);
  });

  it("below a directory that was moved are reached through it, and no longer at the old place", () => {
    const dir = probe.dir();
    probe.named("path_create_directory", dir, "a");
    const moved = probe.open(dir, "a", { oflags: DIRECTORY });
    assert.equal(probe.rename(dir, "a", dir, "b"), 0);
    assert.ok(probe.create(moved, "f") > 0);
    assert.equal(probe.stat(dir, "a/f"), -ERRNO.noent);
    assert.equal(typeof probe.stat(dir, "b/f"), "object");
    assert.equal(probe.open(moved, "../b/f"), -ERRNO.notcapable);
  });
});

describe("descriptors", () => {
  it("put in the place of others, preopened ones and streams too, are what is there then", () => {
    const dir = probe.dir();
    const fd = probe.create(dir, "f");
    probe.write(fd, "text");
    assert.equal(probe.do("fd_renumber", fd, fd), 0);
    assert.equal(probe.do("fd_renumber", fd, 1), 0);
    assert.equal(probe.write(1, "!"), 1, "stdout is the file now");
    assert.equal(probe.do("fd_renumber", 1, 0), 0);
    assert.equal(probe.read(0, 10, 0n), "text!");
    assert.equal(probe.write(1, "x"), -ERRNO.badf);
    const second = probe.create(dir, "g");
    assert.equal(probe.do("fd_renumber", second, dir), 0);
    assert.equal(probe.do("fd_prestat_get", dir, RESULT_AT), ERRNO.badf);
    assert.equal(probe.create(dir, "h"), -ERRNO.notdir);
    for (const [from, to] of [
      [dir, 99],
      [99, dir],
      [-1, dir],
      [dir, -1],
      [second, dir],
    ] as const) {
      assert.equal(probe.do("fd_renumber", from, to), ERRNO.badf);
    }
    probe = new Probe();
  });

  it("used up, are refused until one is closed; numbers of streams are never given away", () => {
    probe = new Probe({ limits: { descriptors: 16 } });
    const dir = probe.dir();
    const fds: number[] = [];
    for (;;) {
      const fd = probe.create(dir, `f${fds.length}`);
      if (fd < 0) {
        assert.equal(fd, -ERRNO.mfile);
        break;
      }
      fds.push(fd);
    }
    assert.equal(fds.length, 15);
    assert.equal(probe.stat(dir, "f15"), -ERRNO.noent, "what was refused was not made");
    probe.do("fd_close", 1);
    assert.equal(probe.create(dir, "again"), -ERRNO.mfile);
    probe.do("fd_close", fds[7] ?? -1);
    assert.equal(probe.create(dir, "again"), fds[7]);
  });

  it("of streams go one way, whatever the policy grants", () => {
    probe = new Probe({
      stdin: "secret",
      rights: new Map([
        ["stdout", KNOWN_RIGHTS],
        ["stderr", KNOWN_RIGHTS],
      ]),
    });
    for (const fd of [1, 2]) assert.equal(probe.read(fd, 10), -ERRNO.notcapable);
    assert.equal(probe.read(0, 10), -ERRNO.badf);
    probe = new Probe({ stdin: "open", rights: new Map([["stdin", KNOWN_RIGHTS]]) });
    assert.equal(probe.write(0, "x"), -ERRNO.notcapable);
    assert.equal(probe.read(0, 10), "open");
    probe = new Probe();
  });

  it("closed twice, or never open, are bad; rights given up do not come back", () => {
    const fd = probe.create(probe.dir(), "f");
    assert.equal(probe.do("fd_fdstat_set_rights", fd, BigInt(RIGHTS.fd_read), 0n), 0);
    assert.equal(probe.write(fd, "x"), -ERRNO.notcapable);
    assert.equal(probe.do("fd_fdstat_set_rights", fd, BigInt(ALL), 0n), ERRNO.notcapable);
    assert.equal(probe.do("fd_close", fd), 0);
    for (const bad of [fd, 1000, -1, 0x7fff_ffff])
      assert.equal(probe.do("fd_close", bad), ERRNO.badf);
  });
});

describe("polling", () => {
  it("for a million things at once is refused before anything is read", () => {
    for (const count of [4097, 1_000_000, 0xffff_ffff]) {
      assert.equal(probe.do("poll_oneoff", 0, 0, count, RESULT_AT), ERRNO.inval);
    }
    assert.equal(probe.do("poll_oneoff", 0, 0, 0, RESULT_AT), ERRNO.inval);
    assert.equal(probe.do("poll_oneoff", END - 47, 0, 1, RESULT_AT), ERRNO.fault);
    assert.equal(probe.do("poll_oneoff", 0, END - 31, 1, RESULT_AT), ERRNO.fault);
    assert.equal(probe.do("poll_oneoff", 0, 0, 1, END - 3), ERRNO.fault);
  });

  it("for as many as are allowed answers all of them", () => {
    const at = 65_536;
    probe.bytes.fill(0, at, at + 4096 * 48);
    for (let index = 0; index < 4096; index += 1) probe.bytes[at + index * 48 + 8] = 2;
    assert.equal(probe.do("poll_oneoff", at, at + 4096 * 48, 4096, RESULT_AT), 0);
    assert.equal(probe.u32(RESULT_AT), 4096);
  });

  it("writes its events over its own subscriptions without harm", () => {
    const at = 65_536;
    probe.bytes.fill(0, at, at + 2 * 48);
    const view = new DataView(probe.memory.buffer);
    for (const [index, fd] of [1, 77].entries()) {
      view.setBigUint64(at + index * 48, BigInt(index + 1), true);
      view.setUint8(at + index * 48 + 8, 2);
      view.setUint32(at + index * 48 + 16, fd, true);
    }
    assert.equal(probe.do("poll_oneoff", at, at, 2, RESULT_AT), 0);
    assert.deepEqual(
      [
        view.getBigUint64(at, true),
        view.getUint16(at + 8, true),
        view.getBigUint64(at + 32, true),
        view.getUint16(at + 40, true),
      ],
      [1n, 0, 2n, ERRNO.badf],
    );
  });
});

describe("listing", () => {
  it("from cookies that were never given, or into buffers of any size, stays inside", () => {
    for (const name of ["a", "b", "c"]) probe.create(probe.dir(), name);
    const list = (room: number, cookie: bigint): number => {
      assert.equal(probe.do("fd_readdir", probe.dir(), DATA_AT, room, cookie, RESULT_AT), 0);
      return probe.u32(RESULT_AT);
    };
    for (const cookie of [6n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n])
      assert.equal(list(1000, cookie), 0);
    for (const room of [0, 1, 23, 24, 25]) assert.equal(list(room, 0n), room);
    assert.equal(probe.do("fd_readdir", probe.dir(), END, 1, 0n, RESULT_AT), ERRNO.fault);
    assert.equal(
      probe.do("fd_readdir", probe.dir(), DATA_AT, 0xffff_ffff, 0n, RESULT_AT),
      ERRNO.fault,
    );
  });

  it("of a directory that was removed while open is that of an empty one", () => {
    const dir = probe.dir();
    probe.named("path_create_directory", dir, "gone");
    const fd = probe.open(dir, "gone", { oflags: DIRECTORY });
    assert.equal(probe.named("path_remove_directory", dir, "gone"), 0);
    assert.deepEqual(probe.names(fd), []);
    assert.equal(probe.create(fd, "f"), -ERRNO.noent);
    assert.equal(probe.named("path_create_directory", fd, "d"), -ERRNO.noent);
    assert.equal(probe.symlink("x", fd, "l"), -ERRNO.noent);
    probe.create(dir, "f");
    assert.equal(probe.rename(dir, "f", fd, "f"), -ERRNO.noent);
  });
});

describe("arguments", () => {
  it("are not written where they do not fit", () => {
    assert.equal(probe.do("args_sizes_get", END - 3, 0), ERRNO.fault);
    assert.equal(probe.do("args_sizes_get", 0, -1), ERRNO.fault);
    probe.do("args_sizes_get", 0, 4);
    const [count, bytes] = [probe.u32(0), probe.u32(4)];
    assert.equal(probe.do("args_get", END - count * 4, 0), 0);
    assert.equal(probe.do("args_get", END - count * 4 + 1, 0), ERRNO.fault);
    assert.equal(probe.do("args_get", 0, END - bytes), 0);
    assert.equal(probe.do("args_get", 0, END - bytes + 1), ERRNO.fault);
    assert.equal(probe.do("environ_get", END, 0), ERRNO.fault);
  });

  it("name clocks, signals and advices that exist", () => {
    const fd = probe.create(probe.dir(), "f");
    assert.equal(probe.do("clock_time_get", 0, 0n, END - 7), ERRNO.fault);
    assert.equal(probe.do("clock_time_get", 0, 0n, END - 8), 0);
    for (const signal of [-1, 31, 0x7fff_ffff])
      assert.equal(probe.do("proc_raise", signal), ERRNO.inval);
    for (const advice of [-1, 6, 255]) {
      assert.equal(probe.do("fd_advise", fd, 0n, 0n, advice), ERRNO.inval);
    }
    assert.equal(probe.do("fd_filestat_set_times", fd, 0n, 0n, 3), ERRNO.inval);
    assert.equal(probe.do("fd_filestat_set_times", fd, 0n, 0n, 16), ERRNO.inval);
    assert.equal(probe.do("fd_filestat_set_times", fd, 2n ** 64n - 1n, 2n ** 64n - 1n, 5), 0);
    probe.store.apply(probe.changes());
    assert.ok(probe.store.stat("/f")?.modified instanceof Date);
    assert.ok(!Number.isNaN(probe.store.stat("/f")?.modified.getTime()));
  });
});
