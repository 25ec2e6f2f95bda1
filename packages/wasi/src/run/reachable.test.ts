// What a worker is given of the files: nothing that the program's rights do not reach.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RIGHTS } from "@holdfast/policy";
import { FileStore } from "../store/file-store.ts";
import { reachable } from "./reachable.ts";

const READ = RIGHTS.fd_read | RIGHTS.path_open;

function pathsReached(files: readonly string[], rights: Readonly<Record<string, number>>) {
  const store = new FileStore({ maximumBytes: 1 << 20 });
  for (const path of files) store.openWrite(path).commit();
  const { nodes } = reachable(store.snapshot(), new Map(Object.entries(rights)));
  return nodes.map(({ path }) => path);
}

describe("the reachable part of a snapshot", () => {
  it("has what lies at and below entries, and the directories on the way", () => {
    assert.deepEqual(
      pathsReached(["/in/a", "/in/deep/b", "/other/c", "/x/y/z/f", "/x/y/g", "/h"], {
        "/in": READ,
        "/x/y/z": READ,
        stdout: READ,
      }),
      ["/in", "/in/a", "/in/deep", "/in/deep/b", "/x", "/x/y", "/x/y/z", "/x/y/z/f"],
    );
  });

  it("has everything where the root has rights, but what an entry without rights takes out", () => {
    assert.deepEqual(
      pathsReached(["/a/f", "/a/secret/key", "/a/secret/open/note"], {
        "/": READ,
        "/a/secret": 0,
        "/a/secret/open": READ,
      }),
      ["/a", "/a/f", "/a/secret", "/a/secret/open", "/a/secret/open/note"],
    );
  });

  it("has the single file of an entry, not its neighbours", () => {
    assert.deepEqual(pathsReached(["/d/one", "/d/two"], { "/d/one": READ }), ["/d", "/d/one"]);
  });

  it("is empty without rights", () => {
    assert.deepEqual(pathsReached(["/a/f", "/g"], {}), []);
  });
});
