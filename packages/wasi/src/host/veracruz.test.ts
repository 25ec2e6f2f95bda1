// What Veracruz does, row by row: its table of rights and files, and the defects of its runtime. Each test says whether
// this host does the same ("compatible") or something else on purpose ("deliberately different").
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KNOWN_RIGHTS, PolicyError, RIGHTS } from "@holdfast/policy";
import { FileStore } from "../store/file-store.ts";
import { ALL, APPEND, CREATE, Probe, TRUNCATE } from "../testing/probe.ts";
import { ERRNO } from "./errno.ts";

/** Rights as they stand in policies of the wild. */
const WRITER = 534_084;
const READER = 24_582;
const BOTH = 550_470;
const EXECUTE_AND_OPEN = 536_879_104;

const READ_FILE = RIGHTS.fd_read | RIGHTS.fd_seek;

describe("rights and files of Veracruz", () => {
  it("compatible: writing outside the own directory is refused", () => {
    const probe = new Probe({
      files: { "/program_data/x": "secret" },
      rights: new Map([["/output", BOTH]]),
    });
    assert.equal(probe.create(probe.dir(), "program_data/x"), -ERRNO.acces);
    assert.equal(probe.create(probe.dir(), "elsewhere"), -ERRNO.acces);
  });

  it("deliberately different: writing through .. does not leave the directory", () => {
    const rights = new Map([["/s3_app_input/", WRITER]]);
    const probe = new Probe({ files: { "/program/detector.wasm": "code" }, rights });
    const inside = probe.dir("/s3_app_input");
    const flags = { rights: RIGHTS.fd_write };
    assert.equal(probe.create(inside, "../program/detector.wasm", flags), -ERRNO.notcapable);
    const wide = probe.create(probe.dir(), "s3_app_input/../program/detector.wasm", flags);
    assert.equal(wide, -ERRNO.acces);
    assert.throws(() => probe.store.openWrite("/s3_app_input/../program/detector.wasm"), {
      code: "PATH_ESCAPE",
    });
  });

  it("compatible: a program is not read with the execute right", () => {
    const rights = new Map([["/program", EXECUTE_AND_OPEN]]);
    const probe = new Probe({ files: { "/program/p.wasm": "code" }, rights });
    assert.equal(probe.open(probe.dir("/program"), "p.wasm", { rights: READ_FILE }), -ERRNO.acces);
  });

  it("deliberately different: execute is no right of a program, not even to accept connections", () => {
    const rights = new Map([["/program/", KNOWN_RIGHTS]]);
    const probe = new Probe({ rights });
    probe.do("fd_fdstat_get", probe.dir("/program"), 768);
    assert.equal(probe.u64(776) & (2n ** 29n), 0n);
    assert.equal(probe.u64(784) & (2n ** 29n), 0n);
  });

  it("deliberately different: an entry for a single file is a file, not a directory", () => {
    const rights = new Map([
      ["/output/result.txt", BOTH],
      ["/input/in.txt", READER],
    ]);
    const probe = new Probe({ files: { "/input/in.txt": "in", "/input/other": "no" }, rights });
    assert.equal(probe.write(probe.create(probe.dir(), "output/result.txt"), "done"), 4);
    assert.equal(probe.create(probe.dir(), "output/other.txt"), -ERRNO.acces);
    assert.equal(probe.text("input/in.txt"), "in");
    assert.equal(probe.text("input/other"), -ERRNO.acces);
  });

  it("compatible: a client's write makes the directories on the way", () => {
    const store = new FileStore({ maximumBytes: 1000 });
    store.openWrite("/program_data/a/b/c").commit();
    assert.equal(store.stat("/program_data/a/b")?.kind, "directory");
  });

  it("compatible: slashes and dots collapse to one path, and a relative path is refused", () => {
    const store = new FileStore({ maximumBytes: 1000 });
    store.openWrite("//program//x").commit();
    assert.equal(store.stat("/program/./x")?.path, "/program/x");
    assert.throws(() => store.stat("program/x"), PolicyError);
  });

  it("compatible: of nested entries only the nearest counts", () => {
    const rights = new Map([
      ["/output", BOTH],
      ["/output/sub", WRITER],
    ]);
    const probe = new Probe({ files: { "/output/a": "a", "/output/sub/b": "b" }, rights });
    assert.equal(probe.text("output/a"), "a");
    assert.equal(probe.text("output/sub/b"), -ERRNO.acces);
    assert.equal(probe.open(probe.dir("/output"), "sub/b", { rights: READ_FILE }), -ERRNO.acces);
  });

  it("compatible: reading what is missing, and reading a directory", () => {
    const probe = new Probe({ files: { "/d/f": "" } });
    assert.equal(probe.open(probe.dir(), "missing"), -ERRNO.noent);
    const fd = probe.open(probe.dir(), "d", { rights: ALL & ~RIGHTS.fd_write });
    assert.equal(probe.read(fd), -ERRNO.isdir);
  });

  it("compatible: a stream without an entry is not there", () => {
    const probe = new Probe({ rights: new Map([["stdout", WRITER]]) });
    assert.equal(probe.write(1, "heard"), 5);
    assert.equal(probe.write(2, "not"), -ERRNO.badf);
    assert.equal(probe.read(0), -ERRNO.badf);
    assert.ok(probe.dir() >= 3, "the numbers of streams are given to nothing else");
  });

  it("compatible: a program without an entry reaches nothing", () => {
    const probe = new Probe({ files: { "/a": "a" }, rights: new Map() });
    assert.equal(probe.open(probe.dir(), "a"), -ERRNO.acces);
    assert.equal(probe.open(probe.dir(), ".", { rights: 0 }), -ERRNO.acces);
    assert.equal(probe.stat(probe.dir(), "."), -ERRNO.acces);
  });

  it("deliberately different: what exists where there are no rights is not told", () => {
    const probe = new Probe({ files: { "/secret/deep/f": "" }, rights: new Map([["/o", BOTH]]) });
    for (const path of ["secret", "none", "secret/deep/f", "secret/none/f", "none/deep/f"]) {
      assert.equal(probe.open(probe.dir(), path), -ERRNO.acces, path);
      assert.equal(probe.stat(probe.dir(), path), -ERRNO.acces, path);
    }
    assert.equal(probe.open(probe.dir(), "secret/../o", { rights: 0 }), -ERRNO.acces);
    assert.equal(probe.open(probe.dir(), "none/../o", { rights: 0 }), -ERRNO.acces);
  });

  it("deliberately different: seeking beyond the end changes no size and needs no further right", () => {
    const rights = new Map([["/o", RIGHTS.fd_seek | RIGHTS.path_open | RIGHTS.fd_read]]);
    const probe = new Probe({ files: { "/o/f": "abc" }, rights });
    const fd = probe.open(probe.dir("/o"), "f", { rights: READ_FILE });
    assert.equal(probe.seek(fd, 100n, 0), 100);
    assert.equal(probe.read(fd), "");
  });

  it("compatible at a path, deliberately different at a descriptor: status without its right", () => {
    const probe = new Probe({ files: { "/o/f": "" }, rights: new Map([["/o", READER]]) });
    assert.equal(probe.stat(probe.dir("/o"), "f"), -ERRNO.acces);
    const fd = probe.open(probe.dir("/o"), "f");
    assert.equal(probe.do("fd_filestat_get", fd, 768), ERRNO.notcapable);
  });

  it("deliberately different: the right to seek tells the position, as WASI says", () => {
    const probe = new Probe({ files: { "/o/f": "abc" }, rights: new Map([["/o", READER]]) });
    const fd = probe.open(probe.dir("/o"), "f");
    assert.equal(probe.do("fd_tell", fd, 768), ERRNO.success);
    probe.do("fd_fdstat_set_rights", fd, BigInt(RIGHTS.fd_read), 0n);
    assert.equal(probe.do("fd_tell", fd, 768), ERRNO.notcapable);
    assert.equal(probe.seek(fd, 0n, 1), -ERRNO.notcapable);
  });

  it("compatible: truncating and creating need their rights", () => {
    const rights = new Map([["/o", RIGHTS.path_open | RIGHTS.fd_write]]);
    const probe = new Probe({ files: { "/o/f": "abc" }, rights });
    const flags = { rights: RIGHTS.fd_write };
    assert.equal(probe.open(probe.dir("/o"), "f", { ...flags, oflags: TRUNCATE }), -ERRNO.acces);
    assert.equal(probe.open(probe.dir("/o"), "new", { ...flags, oflags: CREATE }), -ERRNO.acces);
    assert.equal(probe.named("path_create_directory", probe.dir("/o"), "d"), -ERRNO.acces);
  });

  it("compatible at the end, deliberately different past it: a positional read answers nothing", () => {
    const probe = new Probe({ files: { "/f": "abc" } });
    const fd = probe.open(probe.dir(), "f");
    assert.equal(probe.read(fd, 10, 3n), "");
    assert.equal(probe.read(fd, 10, 4n), "");
    assert.equal(probe.read(fd, 10, 2n ** 40n), "");
    assert.equal(probe.read(fd, 10, -1n), -ERRNO.inval);
    assert.equal(probe.read(fd, 10, 0n), "abc", "the host goes on");
  });

  it("deliberately different: making a directory loses nothing that is there", () => {
    const probe = new Probe({ files: { "/a/kept": "kept" } });
    assert.equal(probe.named("path_create_directory", probe.dir(), "a"), -ERRNO.exist);
    assert.equal(probe.named("path_create_directory", probe.dir(), "a/b"), 0);
    assert.equal(probe.text("a/kept"), "kept");
  });
});

describe("defects of the Veracruz runtime", () => {
  it("deliberately different: a hash pin is not passed by another spelling of the path", () => {
    const store = new FileStore({ maximumBytes: 1000 });
    store.openWrite("/program/p.wasm").commit();
    for (const spelling of ["/x/../program/p.wasm", "/program/../program/p.wasm", "/program/.."]) {
      assert.throws(() => store.openWrite(spelling), { code: "PATH_ESCAPE" }, spelling);
    }
    assert.equal(store.stat("//program/./p.wasm")?.path, "/program/p.wasm");
  });

  it("deliberately different: vectors outside memory are an error of the guest, not of the host", () => {
    const probe = new Probe({ files: { "/f": "abc" } });
    const fd = probe.open(probe.dir(), "f");
    const end = probe.memory.buffer.byteLength;
    for (const at of [end - 4, end, 0xffff_fff8, -1]) {
      assert.equal(probe.do("fd_read", fd, at, 1, 768), ERRNO.fault);
      assert.equal(probe.do("fd_write", 1, at, 1, 768), ERRNO.fault);
    }
    const view = new DataView(probe.memory.buffer);
    view.setUint32(512, end - 1, true);
    view.setUint32(516, 2, true);
    assert.equal(probe.do("fd_read", fd, 512, 1, 768), ERRNO.fault);
    view.setUint32(516, 0xffff_ffff, true);
    assert.equal(probe.do("fd_read", fd, 512, 1, 768), ERRNO.fault);
    assert.equal(probe.do("fd_read", fd, 512, 0x2000_0000, 768), ERRNO.inval);
    assert.equal(probe.do("fd_read", fd, 512, 1, end - 3), ERRNO.fault);
  });

  it("deliberately different: append appends, and moves the position", () => {
    const probe = new Probe({ files: { "/f": "abc" } });
    const fd = probe.create(probe.dir(), "f", { fdflags: APPEND });
    probe.seek(fd, 0n, 0);
    assert.equal(probe.write(fd, "def"), 3);
    assert.equal(probe.text("f"), "abcdef");
  });

  it("deliberately different: renumbering onto an open descriptor replaces it", () => {
    const probe = new Probe({ files: { "/a": "a", "/b": "b" } });
    const [a, b] = [probe.open(probe.dir(), "a"), probe.open(probe.dir(), "b")];
    assert.equal(probe.do("fd_renumber", a, b), ERRNO.success);
    assert.equal(probe.read(b), "a");
    assert.equal(probe.read(a), -ERRNO.badf);
    assert.equal(probe.do("fd_renumber", b, 999), ERRNO.badf);
  });

  it("deliberately different: a negative position is invalid", () => {
    const probe = new Probe({ files: { "/f": "abc" } });
    const fd = probe.open(probe.dir(), "f");
    assert.equal(probe.seek(fd, -1n, 0), -ERRNO.inval);
    assert.equal(probe.seek(fd, -4n, 2), -ERRNO.inval);
    assert.equal(probe.seek(fd, -3n, 2), 0);
    assert.equal(probe.seek(fd, 2n ** 63n - 1n, 0), -ERRNO.inval);
    assert.equal(probe.seek(fd, 0n, 3), -ERRNO.inval);
  });

  it("deliberately different: rights that are set are gone", () => {
    const probe = new Probe({ files: { "/f": "abc" } });
    const fd = probe.open(probe.dir(), "f");
    assert.equal(probe.do("fd_fdstat_set_rights", fd, BigInt(RIGHTS.fd_seek), 0n), 0);
    assert.equal(probe.read(fd), -ERRNO.notcapable);
    const all = BigInt(ALL);
    assert.equal(probe.do("fd_fdstat_set_rights", fd, all, all), ERRNO.notcapable);
  });

  it("deliberately different: an absolute path relative to a descriptor is refused as such", () => {
    const probe = new Probe({ files: { "/f": "abc" } });
    assert.equal(probe.open(probe.dir(), "/f"), -ERRNO.notcapable);
  });

  it("compatible: with the clock off there is no time, and files have none", () => {
    const probe = new Probe({ files: { "/f": "abc" }, clock: "off" });
    assert.equal(probe.do("clock_time_get", 0, 0n, 768), ERRNO.acces);
    assert.equal(probe.do("clock_time_get", 1, 0n, 768), ERRNO.acces);
    assert.equal(probe.do("clock_res_get", 0, 768), ERRNO.acces);
    const fd = probe.create(probe.dir(), "g");
    probe.write(fd, "x");
    const stat = probe.stat(probe.dir(), "g");
    assert.equal(typeof stat === "object" && stat.modified, 0n);
  });
});
