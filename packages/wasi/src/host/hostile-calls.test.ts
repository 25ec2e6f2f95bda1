// Calls with numbers, pointers and descriptors that a hostile guest makes, one by one: each answers the documented error number, and the host goes on.
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { KNOWN_RIGHTS, RIGHTS } from "@holdfast/policy";
import { ALL, DATA_AT, Probe, RESULT_AT } from "../testing/probe.ts";
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
