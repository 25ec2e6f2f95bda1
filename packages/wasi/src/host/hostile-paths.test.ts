// Calls with paths that a hostile guest makes, one by one: each answers the documented error number, and the host goes on.
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
let probe = new Probe();
/** Whatever was called, the next calls work. */
afterEach(() => {
  const fd = probe.create(probe.dir(), "alive");
  assert.ok(fd > 0 || fd === -ERRNO.mfile, `${fd}`);
  if (fd > 0) assert.equal(probe.write(fd, "alive"), 5);
  probe = new Probe();
});

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
