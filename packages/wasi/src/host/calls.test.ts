// Calls one by one, where the public suite says little.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RIGHTS } from "@holdfast/policy";
import { PREVIEW1 } from "../module/interface.ts";
import { ALL, CREATE, DIRECTORY, EXCLUSIVE, Probe, RESULT_AT, TRUNCATE } from "../testing/probe.ts";
import { ERRNO } from "./errno.ts";

describe("files", () => {
  it("keep bytes across pieces, with holes that read as zeros", () => {
    const probe = new Probe();
    const fd = probe.create(probe.dir(), "f");
    const edge = 1024 * 1024;
    assert.equal(probe.write(fd, "abcdef", BigInt(edge - 3)), 6);
    assert.equal(probe.write(fd, "end", BigInt(3 * edge)), 3);
    assert.equal(probe.read(fd, 8, BigInt(edge - 4)), "\0abcdef\0");
    assert.equal(probe.read(fd, 4, BigInt(2 * edge)), "\0\0\0\0");
    assert.equal(probe.read(fd, 10, BigInt(3 * edge - 1)), "\0end");
  });

  it("that are appended to are not copied: pieces stay where they are", () => {
    const probe = new Probe();
    const fd = probe.create(probe.dir(), "f", { fdflags: 1 });
    const piece = Buffer.alloc(256 * 1024, 7);
    const pieces = (): readonly unknown[] => {
      const [node] = probe.changes().written;
      return node?.kind === "file" ? node.content.chunks : [];
    };
    for (let count = 0; count < 8; count += 1) probe.write(fd, piece);
    const before = pieces();
    for (let count = 0; count < 4; count += 1) probe.write(fd, piece);
    assert.equal(before.length, 2);
    assert.deepEqual(
      pieces()
        .slice(0, 2)
        .map((chunk, index) => chunk === before[index]),
      [true, true],
    );
  });

  it("that shrink and grow again have zeros where bytes were", () => {
    const probe = new Probe({ files: { "/f": "abcdefgh" } });
    const fd = probe.create(probe.dir(), "f");
    assert.equal(probe.do("fd_filestat_set_size", fd, 3n), 0);
    assert.equal(probe.do("fd_filestat_set_size", fd, 6n), 0);
    assert.equal(probe.read(fd, 10, 0n), "abc\0\0\0");
    assert.equal(Buffer.concat([...probe.store.read("/f")]).toString(), "abcdefgh");
  });

  it("without a name live until the last descriptor is closed", () => {
    const probe = new Probe({ files: { "/f": "abc" }, limits: { storageBytes: 0 } });
    const fd = probe.open(probe.dir(), "f");
    assert.equal(probe.named("path_unlink_file", probe.dir(), "f"), 0);
    assert.equal(probe.read(fd), "abc");
    const other = probe.create(probe.dir(), "g");
    assert.equal(probe.write(other, "x"), -ERRNO.nospc, "its bytes still count");
    probe.do("fd_close", fd);
    assert.equal(probe.write(other, "xyz"), 3);
    assert.equal(probe.write(other, "more"), -ERRNO.nospc);
    assert.equal(probe.guest.fs.limited, true);
  });

  it("are read and written through several vectors", () => {
    const probe = new Probe();
    const fd = probe.create(probe.dir(), "f");
    const view = new DataView(probe.memory.buffer);
    probe.bytes.set(Buffer.from("hello world"), 4096);
    for (const [index, [at, length]] of [
      [4096, 5],
      [0, 0],
      [4101, 6],
    ].entries()) {
      view.setUint32(512 + index * 8, at ?? 0, true);
      view.setUint32(516 + index * 8, length ?? 0, true);
    }
    assert.equal(probe.do("fd_write", fd, 512, 3, RESULT_AT), 0);
    assert.equal(probe.u32(RESULT_AT), 11);
    assert.equal(probe.text("f"), "hello world");
    assert.equal(probe.do("fd_pread", fd, 512, 3, 6n, RESULT_AT), 0);
    assert.equal(probe.u32(RESULT_AT), 5);
    view.setUint32(1027, 4096, true);
    view.setUint32(1031, 4, true);
    assert.equal(probe.do("fd_pread", fd, 1027, 1, 0n, 1037), 0, "without alignment too");
    assert.equal(view.getUint32(1037, true), 4);
  });

  it("grow by allocation, and not beyond the quota", () => {
    const probe = new Probe({ limits: { storageBytes: 100 } });
    const fd = probe.create(probe.dir(), "f");
    assert.equal(probe.do("fd_allocate", fd, 0n, 100n), 0);
    assert.equal(probe.do("fd_allocate", fd, 0n, 101n), ERRNO.nospc);
    assert.equal(probe.do("fd_allocate", fd, 0n, 0n), ERRNO.inval);
    assert.equal(probe.do("fd_allocate", fd, 2n ** 63n, 2n ** 63n), ERRNO.fbig);
    assert.equal(probe.do("fd_filestat_set_size", fd, 2n ** 60n), ERRNO.fbig);
    assert.equal(probe.do("fd_filestat_set_size", fd, 2n ** 50n), ERRNO.nospc);
    assert.equal(probe.write(fd, "x", 2n ** 52n), -ERRNO.nospc);
  });

  it("are counted, links and directories too", () => {
    const probe = new Probe({ limits: { entries: 3 } });
    assert.equal(probe.create(probe.dir(), "a") > 0, true);
    assert.equal(probe.named("path_create_directory", probe.dir(), "b"), 0);
    assert.equal(probe.symlink("a", probe.dir(), "c"), -ERRNO.nospc);
    assert.equal(probe.link(probe.dir(), "a", probe.dir(), "c"), -ERRNO.nospc);
    assert.equal(probe.named("path_unlink_file", probe.dir(), "a"), 0);
    assert.equal(probe.symlink("a", probe.dir(), "c"), 0);
  });
});

describe("path_open", () => {
  const files = { "/f": "abc", "/d/x": "" };

  it("creates, truncates and insists as asked", () => {
    const probe = new Probe({ files });
    const root = probe.dir();
    assert.equal(probe.open(root, "f", { oflags: CREATE | EXCLUSIVE }), -ERRNO.exist);
    assert.equal(probe.open(root, "d", { oflags: CREATE | EXCLUSIVE }), -ERRNO.exist);
    assert.equal(probe.open(root, "new", { oflags: CREATE | EXCLUSIVE }) > 0, true);
    assert.equal(probe.open(root, "f", { oflags: DIRECTORY }), -ERRNO.notdir);
    assert.equal(probe.open(root, "f/"), -ERRNO.notdir);
    assert.equal(probe.open(root, "g/", { oflags: CREATE }), -ERRNO.isdir);
    assert.equal(probe.open(root, "d", { rights: RIGHTS.fd_write }), -ERRNO.isdir);
    assert.equal(probe.open(root, "f", { oflags: TRUNCATE }) > 0, true);
    assert.equal(probe.text("f"), "");
    assert.equal(probe.open(root, ""), -ERRNO.noent);
    assert.equal(probe.open(root, "f", { oflags: 16 }), -ERRNO.inval);
    assert.equal(probe.open(root, "f", { fdflags: 32 }), -ERRNO.inval);
    assert.equal(probe.open(root, "f/x"), -ERRNO.notdir);
    assert.equal(probe.open(999, "f"), -ERRNO.badf);
  });

  it("makes the target of a link that dangles, unless it must be new", () => {
    const probe = new Probe({ files });
    probe.symlink("target", probe.dir(), "link");
    assert.equal(probe.open(probe.dir(), "link", { oflags: CREATE | EXCLUSIVE }), -ERRNO.exist);
    assert.equal(probe.open(probe.dir(), "link", { oflags: CREATE, follow: false }), -ERRNO.loop);
    assert.equal(probe.open(probe.dir(), "link", { oflags: CREATE }) > 0, true);
    assert.equal(probe.text("target"), "");
  });
});

describe("directories", () => {
  it("are listed sorted, in a listing that stays while it is read", () => {
    const probe = new Probe({ files: { "/d/b": "", "/d/a": "", "/d/c": "" } });
    const fd = probe.open(probe.dir(), "d", { oflags: DIRECTORY, rights: ALL & ~RIGHTS.fd_write });
    assert.deepEqual(probe.names(fd), ["a", "b", "c"]);
    probe.named("path_unlink_file", probe.dir(), "d/a");
    assert.equal(probe.do("fd_readdir", fd, 65_536, 1000, 3n, RESULT_AT), 0);
    assert.equal(
      probe.bytes[65_536 + 24],
      "b".charCodeAt(0),
      "what follows the cookie still follows",
    );
    assert.deepEqual(probe.names(fd), ["b", "c"]);
    assert.equal(probe.do("fd_readdir", fd, 65_536, 10, 0n, RESULT_AT), 0);
    assert.equal(probe.u32(RESULT_AT), 10, "an entry that does not fit is cut");
    assert.equal(probe.do("fd_readdir", fd, 65_536, 10, 99n, RESULT_AT), 0);
    assert.equal(probe.u32(RESULT_AT), 0);
  });
});

describe("every function", () => {
  it("is offered, all 46 of them", () => {
    const probe = new Probe();
    assert.equal(Object.keys(PREVIEW1).length, 46);
    assert.deepEqual(Object.keys(probe.call).sort(), Object.keys(PREVIEW1).sort());
  });

  it("answers an error number to any numbers, and the host goes on", () => {
    const probe = new Probe({ files: { "/f": "abc" }, limits: { storageBytes: 1 << 20 } });
    const interesting = [0, 1, 3, 4, 5, -1, 1024, 0x7fff_ffff, -0x8000_0000, 65_535];
    let seed = 1;
    const next = (): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return interesting[(seed >>> 16) % interesting.length] ?? 0;
    };
    const skipped = ["proc_exit", "proc_raise", "poll_oneoff"];
    for (let round = 0; round < 400; round += 1) {
      for (const [name, type] of Object.entries(PREVIEW1)) {
        if (skipped.includes(name)) continue;
        const [parameters = ""] = type.split(":");
        const values = [...parameters].map((letter) => (letter === "I" ? BigInt(next()) : next()));
        const errno = probe.do(name, ...values);
        assert.ok(
          Number.isInteger(errno) && errno >= 0 && errno <= 76,
          `${name}(${values}) = ${errno}`,
        );
      }
    }
  });
});

describe("arguments, environment and randomness", () => {
  it("are laid out in memory", () => {
    const probe = new Probe();
    assert.equal(probe.do("args_sizes_get", 768, 772), 0);
    assert.equal(probe.u32(768), 2);
    assert.equal(probe.u32(772), "program\0first\0".length);
    assert.equal(probe.do("args_get", 768, 4096), 0);
    assert.equal(Buffer.from(probe.bytes.subarray(4096, 4110)).toString(), "program\0first\0");
    assert.equal(probe.u32(772), 4096 + 8);
    assert.equal(probe.do("environ_get", 768, 4096), 0);
    assert.equal(Buffer.from(probe.bytes.subarray(4096, 4107)).toString(), "NAME=value\0");
    assert.equal(probe.do("args_get", -4, 4096), ERRNO.fault);
    assert.equal(probe.do("args_get", 768, -4), ERRNO.fault);
  });

  it("are drawn over block borders", () => {
    const probe = new Probe();
    assert.equal(probe.do("random_get", 65_536, 100_000), 0);
    const zeros = probe.bytes.subarray(65_536, 165_536).filter((byte) => byte === 0).length;
    assert.ok(zeros > 200 && zeros < 700, `${zeros} zeros in 100,000 random bytes`);
    assert.equal(probe.do("random_get", -1, 2), ERRNO.fault);
    assert.equal(probe.do("random_get", 0, 0), 0);
  });
});

describe("sockets", () => {
  it("are refused properly", () => {
    const probe = new Probe();
    for (const name of ["sock_accept", "sock_recv", "sock_send", "sock_shutdown"]) {
      assert.equal(probe.do(name, 999, 0, 0, 0, 0, 0), ERRNO.badf, name);
      assert.equal(probe.do(name, 1, 0, 0, 0, 0, 0), ERRNO.notsock, name);
    }
  });
});
