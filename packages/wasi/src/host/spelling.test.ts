// An entry of the rights table is a file or a directory as the policy spells it, whatever its name looks like: each
// spelling, with nothing, a file or a directory there when the run starts, and what a program can do then.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KNOWN_RIGHTS } from "@holdfast/policy";
import { DIRECTORY, Probe } from "../testing/probe.ts";
import { ERRNO } from "./errno.ts";

/** Names that look like files, and that do not. */
const NAMES = ["out", "out.d", "result.txt", ".hidden"] as const;

interface Case {
  readonly slash: boolean;
  readonly there: "nothing" | "file" | "directory";
  /** What the run finds open there. */
  readonly preopened: boolean;
  /** Making a file of that name, and one in it; a directory of that name. */
  readonly file: number;
  readonly below: number;
  readonly makeDirectory: number;
}

const CASES: readonly Case[] = [
  {
    slash: true,
    there: "nothing",
    preopened: true,
    file: ERRNO.isdir,
    below: 0,
    makeDirectory: ERRNO.exist,
  },
  {
    slash: true,
    there: "directory",
    preopened: true,
    file: ERRNO.isdir,
    below: 0,
    makeDirectory: ERRNO.exist,
  },
  {
    slash: true,
    there: "file",
    preopened: false,
    file: 0,
    below: ERRNO.notdir,
    makeDirectory: ERRNO.exist,
  },
  {
    slash: false,
    there: "nothing",
    preopened: false,
    file: 0,
    below: ERRNO.noent,
    makeDirectory: 0,
  },
  {
    slash: false,
    there: "directory",
    preopened: true,
    file: ERRNO.isdir,
    below: 0,
    makeDirectory: ERRNO.exist,
  },
  {
    slash: false,
    there: "file",
    preopened: false,
    file: 0,
    below: ERRNO.notdir,
    makeDirectory: ERRNO.exist,
  },
];

const FILES = { nothing: {}, file: { "": "text" }, directory: { "/inside": "text" } } as const;

describe("an entry of the policy", () => {
  for (const name of NAMES) {
    for (const each of CASES) {
      const { slash, there } = each;
      it(`/data/${name}${slash ? "/" : ""} where there is ${there}`, () => {
        const probe = (): Probe =>
          new Probe({
            files: Object.fromEntries(
              Object.entries(FILES[there]).map(([end, text]) => [`/data/${name}${end}`, text]),
            ),
            rights: new Map([[`/data/${name}${slash ? "/" : ""}`, KNOWN_RIGHTS]]),
          });
        const names = preopened(probe());
        assert.deepEqual(names, each.preopened ? [`/data/${name}`, "/"] : ["/"]);
        const made = (path: string): number => {
          const p = probe();
          return Math.max(0, 0 - p.create(p.dir(), path));
        };
        assert.equal(made(`data/${name}`), each.file);
        assert.equal(made(`data/${name}/new`), each.below);
        const p = probe();
        assert.equal(
          p.named("path_create_directory", p.dir(), `data/${name}`),
          0 - each.makeDirectory,
        );
        assert.equal(p.create(p.dir(), "data/other"), -ERRNO.acces, "its neighbours are not in it");
      });
    }
  }

  it("of a file leaves a directory that the program made there to it", () => {
    const p = new Probe({ rights: new Map([["/data/out", KNOWN_RIGHTS]]) });
    assert.equal(p.named("path_create_directory", p.dir(), "data/out"), 0);
    const fd = p.create(p.dir(), "data/out/file");
    assert.equal(p.write(fd, "text"), 4);
    p.store.apply(p.changes());
    assert.equal(p.store.stat("/data/out/file")?.size, 4);
  });

  it("of a directory that is empty in the end leaves nothing in the store", () => {
    const p = new Probe({ rights: new Map([["/data/out/", KNOWN_RIGHTS]]) });
    assert.ok(p.open(p.dir(), "data/out", { oflags: DIRECTORY, rights: 1 << 14 }) > 0);
    p.store.apply(p.changes());
    assert.equal(p.store.stat("/data"), undefined);
  });
});

function preopened(probe: Probe): string[] {
  const names: string[] = [];
  for (let fd = 3; ; fd += 1) {
    const name = probe.guest.descriptors.get(fd)?.preopen;
    if (name === undefined) return names;
    names.push(name);
  }
}
