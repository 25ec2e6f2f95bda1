// Ways out of a directory or around a right, each tried.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KNOWN_RIGHTS, RIGHTS } from "@holdfast/policy";
import { ALL, CREATE, DIRECTORY, Probe } from "../testing/probe.ts";
import { ERRNO } from "./errno.ts";

const READ = RIGHTS.fd_read | RIGHTS.fd_seek | RIGHTS.path_open;
const NAMES =
  RIGHTS.path_rename_source |
  RIGHTS.path_rename_target |
  RIGHTS.path_link_source |
  RIGHTS.path_link_target |
  RIGHTS.path_unlink_file |
  RIGHTS.path_remove_directory |
  RIGHTS.path_symlink;
const WRITE =
  RIGHTS.fd_write |
  RIGHTS.fd_seek |
  RIGHTS.path_open |
  RIGHTS.path_create_file |
  RIGHTS.path_create_directory;

/** A program that may do everything in /work, read in /in, and nothing in /secret. */
function probe(): Probe {
  return new Probe({
    files: { "/secret/key": "key", "/in/data": "data", "/work/own": "own" },
    rights: new Map([
      ["/work", KNOWN_RIGHTS],
      ["/in", READ],
    ]),
  });
}

describe("paths", () => {
  it("stop at the descriptor's directory, whatever leads there", () => {
    const p = probe();
    const work = p.dir("/work");
    assert.equal(p.named("path_create_directory", work, "a"), 0);
    const inner = p.open(work, "a", { oflags: DIRECTORY, rights: ALL & ~RIGHTS.fd_write });
    for (const path of ["..", "../own", "./../own", "a/../../own", "../../secret/key"]) {
      assert.equal(
        p.open(inner, path),
        path.startsWith("a/") ? -ERRNO.noent : -ERRNO.notcapable,
        path,
      );
    }
    assert.equal(p.open(work, "../secret/key"), -ERRNO.notcapable);
    assert.equal(p.open(work, "a/../../secret/key"), -ERRNO.notcapable);
  });

  it("are text: NUL, broken UTF-8 and pointers outside memory are refused", () => {
    const p = probe();
    const work = p.dir("/work");
    assert.equal(p.open(work, "own\0"), -ERRNO.inval);
    p.bytes.set([0xff, 0xfe], 1024);
    assert.equal(p.do("path_unlink_file", work, 1024, 2), ERRNO.ilseq);
    assert.equal(p.do("path_unlink_file", work, -8, 16), ERRNO.fault);
    assert.equal(p.do("path_unlink_file", work, 1024, -1), ERRNO.fault);
    assert.equal(p.do("path_unlink_file", work, 1024, 5000), ERRNO.nametoolong);
    assert.equal(p.create(work, "line\nbreak"), -ERRNO.inval);
    assert.equal(p.create(work, "é\ufffd.txt") >= 3, true, "a real replacement character is text");
  });

  it("are bounded in length and depth, also after a rename", () => {
    const p = probe();
    const work = p.dir("/work");
    assert.equal(p.create(work, "n".repeat(256)), -ERRNO.nametoolong);
    assert.equal(p.create(work, "n".repeat(255)) > 0, true);
    let path = "d";
    assert.equal(p.named("path_create_directory", work, path), 0);
    for (let depth = 0; depth < 61; depth += 1) {
      path += "/d";
      assert.equal(p.named("path_create_directory", work, path), 0, `${depth}`);
    }
    assert.equal(p.named("path_create_directory", work, `${path}/d/d`), -ERRNO.noent);
    assert.equal(p.named("path_create_directory", work, `${path}/e`), 0);
    assert.equal(p.named("path_create_directory", work, `${path}/e/f`), -ERRNO.nametoolong);
    assert.equal(p.named("path_create_directory", work, "top"), 0);
    assert.equal(p.rename(work, "d", work, "top/d"), -ERRNO.nametoolong);
  });
});

describe("links", () => {
  it("that are symbolic lead nowhere a path does not", () => {
    const p = probe();
    const work = p.dir("/work");
    assert.equal(p.symlink("/secret", work, "absolute"), -ERRNO.notcapable);
    assert.equal(p.symlink("../secret", work, "up"), 0);
    assert.equal(p.open(work, "up/key"), -ERRNO.notcapable);
    assert.equal(p.open(p.dir(), "work/up/key"), -ERRNO.acces, "from above the policy decides");
    assert.equal(p.symlink("../in/data", work, "in"), 0);
    assert.equal(p.open(p.dir(), "work/in", { rights: READ }) > 0, true);
    assert.equal(p.create(p.dir(), "work/in"), -ERRNO.acces, "with the rights of where it leads");
  });

  it("that are symbolic and absolute, from a host directory, are not followed", () => {
    const p = probe();
    p.guest.fs.loadLink(p.guest.fs.root, "etc", "/secret", 0);
    assert.equal(p.open(p.dir(), "etc/key"), -ERRNO.acces);
    const all = new Probe({ files: { "/secret/key": "key" } });
    all.guest.fs.loadLink(all.guest.fs.root, "etc", "/secret", 0);
    assert.equal(all.open(all.dir(), "etc/key"), -ERRNO.notcapable);
  });

  it("that go round end", () => {
    const p = probe();
    const work = p.dir("/work");
    assert.equal(p.symlink("b", work, "a"), 0);
    assert.equal(p.symlink("a", work, "b"), 0);
    assert.equal(p.open(work, "a"), -ERRNO.loop);
    assert.equal(p.open(work, "a/x"), -ERRNO.loop);
    assert.equal(p.symlink("./././loop/loop", work, "loop"), 0);
    assert.equal(p.open(work, "loop"), -ERRNO.loop);
  });

  it("that are hard give no right that the first name lacks", () => {
    const rights = new Map([
      ["/in", READ | NAMES],
      ["/work", KNOWN_RIGHTS],
      ["/copy/", READ | WRITE | NAMES],
    ]);
    const p = new Probe({ files: { "/in/data": "data", "/work/x": "" }, rights });
    assert.equal(p.link(p.dir("/in"), "data", p.dir("/work"), "mine"), -ERRNO.acces);
    assert.equal(p.link(p.dir("/in"), "data", p.dir("/in"), "again"), 0);
    assert.equal(p.link(p.dir("/copy"), "none", p.dir("/work"), "none"), -ERRNO.noent);
    assert.equal(p.link(p.dir("/work"), "x", p.dir("/copy"), "x"), 0);
  });

  it("are broken up in the store, so that no later principal writes through a second name", () => {
    const p = new Probe({ files: { "/a/x": "one" } });
    assert.equal(p.link(p.dir(), "a/x", p.dir(), "b"), 0);
    p.store.apply(p.changes());
    const writer = p.store.openWrite("/b");
    writer.write(Buffer.from("two"));
    writer.commit();
    assert.equal(Buffer.concat([...p.store.read("/a/x")]).toString(), "one");
  });
});

describe("renames", () => {
  it("do not move what can't be read to where others may read it", () => {
    const rights = new Map([
      ["/blind", RIGHTS.path_open | NAMES],
      ["/public", READ | WRITE | NAMES],
    ]);
    const p = new Probe({ files: { "/blind/x": "x", "/public/y": "y" }, rights });
    assert.equal(p.rename(p.dir("/blind"), "x", p.dir("/public"), "x"), -ERRNO.acces);
    assert.equal(p.link(p.dir("/blind"), "x", p.dir("/public"), "x"), -ERRNO.acces);
    assert.equal(p.rename(p.dir("/blind"), "x", p.dir("/blind"), "z"), 0);
  });

  it("do not move directories that the policy names, nor replace or remove them", () => {
    const rights = new Map([
      ["/", KNOWN_RIGHTS],
      ["/data/pinned", READ],
    ]);
    const p = new Probe({ files: { "/data/pinned/x": "x", "/empty/f": "" }, rights });
    const root = p.dir();
    assert.equal(p.rename(root, "data", root, "elsewhere"), -ERRNO.acces);
    assert.equal(p.rename(root, "data/pinned", root, "elsewhere"), -ERRNO.acces);
    assert.equal(p.rename(root, "empty", root, "data/pinned"), -ERRNO.acces);
    assert.equal(p.named("path_remove_directory", root, "data/pinned"), -ERRNO.acces);
    assert.equal(p.rename(root, "empty", root, "data/free"), 0);
  });

  it("take rights from the new place, for files, directories and what is opened through them", () => {
    const rights = new Map([
      ["/work", KNOWN_RIGHTS],
      ["/drop", WRITE | NAMES],
    ]);
    const p = new Probe({ files: { "/work/d/f": "f", "/drop/x": "" }, rights });
    const opened = p.open(p.dir("/work"), "d", {
      oflags: DIRECTORY,
      rights: ALL & ~RIGHTS.fd_write,
    });
    assert.equal(p.rename(p.dir("/work"), "d", p.dir("/drop"), "d"), 0);
    assert.equal(p.open(opened, "f", { rights: READ & ALL }), -ERRNO.acces);
    assert.equal(p.open(p.dir("/drop"), "d/f", { rights: RIGHTS.fd_read }), -ERRNO.acces);
    assert.equal(p.open(opened, "f", { rights: RIGHTS.fd_write }) > 0, true);
  });

  it("do not put a directory into itself", () => {
    const p = probe();
    const work = p.dir("/work");
    p.named("path_create_directory", work, "a");
    p.named("path_create_directory", work, "a/b");
    assert.equal(p.rename(work, "a", work, "a/b/c"), -ERRNO.inval);
    assert.equal(p.rename(work, "a", work, "a"), 0);
    assert.equal(p.rename(work, ".", work, "x"), -ERRNO.inval);
  });
});

describe("descriptors", () => {
  it("pass on no more than they were given", () => {
    const p = probe();
    const narrow = p.open(p.dir("/work"), ".", {
      oflags: DIRECTORY,
      rights: RIGHTS.path_open,
      inheriting: RIGHTS.fd_read,
    });
    assert.equal(p.open(narrow, "own", { rights: RIGHTS.fd_read, inheriting: 0 }) > 0, true);
    assert.equal(
      p.open(narrow, "own", { rights: RIGHTS.fd_write, inheriting: 0 }),
      -ERRNO.notcapable,
    );
    assert.equal(p.open(narrow, "own", { rights: 0, inheriting: ALL }), -ERRNO.notcapable);
    assert.equal(p.create(narrow, "new", { rights: 0, inheriting: 0 }), -ERRNO.notcapable);
    assert.equal(p.named("path_unlink_file", narrow, "own"), -ERRNO.notcapable);
  });

  it("of a file are no directory, and of a stream neither", () => {
    const p = probe();
    const file = p.open(p.dir("/work"), "own");
    assert.equal(p.open(file, "x"), -ERRNO.notdir);
    const all = new Probe();
    assert.equal(all.open(1, "x"), -ERRNO.notdir);
    assert.equal(all.seek(1, 0n, 0), -ERRNO.spipe);
    assert.equal(all.read(1, 4, 0n), -ERRNO.spipe);
  });

  it("of a removed directory reach nothing", () => {
    const p = probe();
    const work = p.dir("/work");
    p.named("path_create_directory", work, "gone");
    const gone = p.open(work, "gone", { oflags: DIRECTORY, rights: ALL & ~RIGHTS.fd_write });
    assert.equal(p.named("path_remove_directory", work, "gone"), 0);
    assert.equal(p.create(gone, "x"), -ERRNO.noent);
    assert.equal(p.named("path_create_directory", gone, "x"), -ERRNO.noent);
    assert.equal(p.rename(work, "own", gone, "own"), -ERRNO.noent);
    assert.equal(p.open(gone, ".."), -ERRNO.notcapable);
  });

  it("are bounded in number, and numbers that are closed are given again", () => {
    const p = new Probe({ files: { "/f": "" }, limits: { descriptors: 3 } });
    const first = p.open(p.dir(), "f");
    const second = p.open(p.dir(), "f");
    assert.equal(p.open(p.dir(), "f"), -ERRNO.mfile);
    assert.equal(p.create(p.dir(), "g", { oflags: CREATE }), -ERRNO.mfile);
    assert.equal(p.stat(p.dir(), "g"), -ERRNO.noent, "nothing was made");
    p.do("fd_close", first);
    assert.equal(p.open(p.dir(), "f"), first);
    assert.ok(second > first);
  });

  it("of the Veracruz interface are files without a name", () => {
    const p = new Probe({ generation: "veracruz_si", limits: { entries: 3 } });
    assert.equal(p.do("fd_create", 768), 0);
    assert.equal(p.do("fd_create", 768), 0);
    assert.equal(p.do("fd_create", 768), ERRNO.nospc, "they count");
    assert.equal(p.do("fd_create", -1), ERRNO.fault);
    assert.deepEqual(p.changes(), { removed: [], written: [] });
  });
});
