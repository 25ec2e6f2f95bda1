// Rights: numbers met in the wild, the nearest ancestor, and a matrix of every right, principal and operation.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  allows,
  type Decision,
  isRights,
  KNOWN_RIGHTS,
  mayAppend,
  mayExecute,
  mayList,
  mayRead,
  mayWrite,
  parsePolicy,
  parseRights,
  RIGHTS,
  type RightName,
  type RightsTable,
  rightsAt,
  rightsNames,
  verbsAt,
} from "./index.ts";
import { EXECUTE, PEM, policyText, READ, READ_WRITE, WRITE } from "./testing/seed-policies.ts";

const NAMES = Object.keys(RIGHTS) as RightName[];

test("rights have the bits of the seed", () => {
  assert.equal(NAMES.length, 30);
  for (const [bit, name] of NAMES.entries()) assert.equal(RIGHTS[name], 2 ** bit);
  assert.equal(KNOWN_RIGHTS, 2 ** 30 - 1);
});

test("numbers met in the wild are these rights", () => {
  const bits = (value: number) => rightsNames(value).map((name) => NAMES.indexOf(name));
  assert.deepEqual(bits(534_084), [2, 6, 9, 10, 13, 19]);
  assert.deepEqual(bits(24_582), [1, 2, 13, 14]);
  assert.deepEqual(bits(550_470), [1, 2, 6, 9, 10, 13, 14, 19]);
  assert.deepEqual(bits(533_572), [2, 6, 10, 13, 19]);
  assert.deepEqual(bits(8198), [1, 2, 13]);
  assert.deepEqual(bits(536_879_104), [13, 29]);
  assert.deepEqual(bits(536_879_108), [2, 13, 29]);
  assert.deepEqual(bits(537_404_996), [2, 6, 9, 10, 13, 19, 29]);
});

test("rights are written as numbers or letters", () => {
  assert.equal(parseRights("r"), 24_582);
  assert.equal(parseRights("w"), 534_084);
  assert.equal(parseRights("rw"), 550_470);
  assert.equal(parseRights("x"), 536_879_108);
  assert.equal(parseRights("8198"), 8198);
  assert.equal(parseRights("0"), 0);
  for (const text of ["", "rq", "-1", "1.5", "1073741824", "0x10", "99999999999", " r"]) {
    assert.equal(parseRights(text), undefined, text);
  }
});

test("rights are whole numbers of known bits", () => {
  assert.ok(isRights(0) && isRights(KNOWN_RIGHTS));
  for (const value of [-1, 2 ** 30, 1.5, Number.NaN, "2", null, undefined]) {
    assert.equal(isRights(value), false, String(value));
  }
});

const table = (...entries: [string, number][]): RightsTable => new Map(entries);

test("the nearest ancestor decides, and it alone", async (t) => {
  await t.test("nested entry narrower than its parent", () => {
    const nested = table(["/output", READ], ["/output/sub", WRITE]);
    assert.equal(mayRead(nested, "/output/a").allowed, true);
    assert.equal(mayRead(nested, "/output/sub/a").allowed, false);
    assert.equal(mayWrite(nested, "/output/sub/a", { exists: false }).allowed, true);
    assert.equal(mayWrite(nested, "/output/a", { exists: false }).allowed, false);
  });
  await t.test("an entry without rights shuts what is below it", () => {
    const shut = table(["/", KNOWN_RIGHTS], ["/secret", 0]);
    assert.equal(rightsAt(shut, "/secret/a"), 0);
    assert.equal(mayRead(shut, "/secret/a").allowed, false);
    assert.equal(mayRead(shut, "/other").allowed, true);
  });
  await t.test("a name that starts like another is no child of it", () => {
    assert.equal(rightsAt(table(["/in", READ]), "/input/a"), undefined);
  });
  await t.test("a file entry is a file entry", () => {
    const file = table(["/output/result.json", READ]);
    assert.equal(mayRead(file, "/output/result.json").allowed, true);
    assert.equal(mayRead(file, "/output/other.json").allowed, false);
    assert.equal(mayRead(file, "/output").allowed, false);
  });
  await t.test("no entry, no rights", () => {
    assert.equal(rightsAt(table(["/a", READ]), "/b"), undefined);
    assert.equal(allows(table(["/a", READ]), "/b", 0), false);
    assert.equal(allows(table(["/a", READ]), "/a/b", RIGHTS.fd_read | RIGHTS.fd_seek), true);
  });
  await t.test("the root is nobody's stream", () => {
    assert.equal(rightsAt(table(["/", KNOWN_RIGHTS]), "stdout"), undefined);
    assert.equal(mayRead(table(["/", KNOWN_RIGHTS]), "stdout").allowed, false);
  });
});

interface Operation {
  readonly name: string;
  readonly path: string;
  readonly decide: (table: RightsTable, path: string) => Decision;
  readonly needs: readonly RightName[];
}

const WRITING: readonly RightName[] = ["fd_seek", "fd_write", "path_open"];
const OPERATIONS: readonly Operation[] = [
  { name: "read", path: "/d/f", decide: mayRead, needs: ["fd_read", "fd_seek", "path_open"] },
  {
    name: "read stream",
    path: "stdout",
    decide: mayRead,
    needs: ["fd_read", "fd_seek", "path_open"],
  },
  {
    name: "create",
    path: "/d/f",
    decide: (rights, path) => mayWrite(rights, path, { exists: false }),
    needs: [...WRITING, "path_create_file", "path_filestat_set_size"],
  },
  {
    name: "replace",
    path: "/d/f",
    decide: (rights, path) => mayWrite(rights, path, { exists: true }),
    needs: [...WRITING, "path_filestat_set_size"],
  },
  {
    name: "write stream",
    path: "stdin",
    decide: (rights, path) => mayWrite(rights, path, { exists: false }),
    needs: WRITING,
  },
  {
    name: "append",
    path: "/d/f",
    decide: (rights, path) => mayAppend(rights, path, { exists: true }),
    needs: WRITING,
  },
  {
    name: "append to a new file",
    path: "/d/f",
    decide: (rights, path) => mayAppend(rights, path, { exists: false }),
    needs: [...WRITING, "path_create_file"],
  },
  {
    name: "append to a stream",
    path: "stdin",
    decide: (rights, path) => mayAppend(rights, path, { exists: false }),
    needs: WRITING,
  },
  { name: "list", path: "/d", decide: mayList, needs: ["fd_readdir", "path_open"] },
  { name: "execute", path: "/d/f", decide: mayExecute, needs: ["execute", "path_open"] },
];

test("every right, every principal, every operation", () => {
  // Each principal has one entry at the path's own place, so that rights are the only thing that varies.
  const entries = (rights: number) =>
    ["/d", "stdout", "stdin"].map((file_name) => ({ file_name, rights }));
  const principals = (rights: number) => {
    const policy = parsePolicy(
      policyText({
        identities: [
          { certificate: PEM.user, id: 0, file_rights: entries(rights) },
          { certificate: PEM.bridge, id: 1, file_rights: [] },
        ],
        programs: [{ id: 0, program_file_name: "/p.wasm", file_rights: entries(rights) }],
      }),
    );
    return [policy.identities[0], policy.programs[0], policy.identities[1]].map(
      (each) => each?.rights,
    );
  };
  let decisions = 0;
  for (const { name, path, decide, needs } of OPERATIONS) {
    const need = needs.reduce((sum, right) => sum | RIGHTS[right], 0);
    for (const right of NAMES) {
      const needed = needs.includes(right);
      const [identity, program, nobody] = principals(KNOWN_RIGHTS & ~RIGHTS[right]);
      const [only, onlyProgram] = principals(need & ~RIGHTS[right]);
      for (const rights of [identity, program, only, onlyProgram]) {
        assert.ok(rights !== undefined);
        const decision = decide(rights, path);
        assert.equal(decision.allowed, !needed, `${name} without ${right}`);
        assert.deepEqual(decision.missing, needed ? [right] : [], `${name} without ${right}`);
        decisions += 1;
      }
      assert.ok(nobody !== undefined);
      assert.deepEqual(decide(nobody, path), { allowed: false, missing: rightsNames(need) });
    }
  }
  assert.equal(decisions, OPERATIONS.length * 30 * 4);
});

test("a slash at the end is a directory, in whatever spelling, and nothing else is", () => {
  const entries = [
    "/out/",
    "/out.d/",
    "//deep//er/.",
    "/out/result",
    "/in.txt",
    "/plain",
    "stdout",
    "/",
  ];
  const [program] = parsePolicy(
    policyText({
      programs: [
        {
          id: 0,
          program_file_name: "/p.wasm",
          file_rights: entries.map((file_name) => ({ file_name, rights: READ_WRITE })),
        },
      ],
    }),
  ).programs;
  assert.deepEqual(program?.directories, ["/out", "/out.d", "/deep/er", "/"]);
  assert.deepEqual(
    [...(program?.rights.keys() ?? [])],
    ["/out", "/out.d", "/deep/er", "/out/result", "/in.txt", "/plain", "stdout", "/"],
  );
});

test("verbs say what the seed's numbers amount to", () => {
  const verbs = (rights: number, path = "/d") => verbsAt(table([path, rights]), path);
  assert.deepEqual(verbs(READ), ["read", "list"]);
  assert.deepEqual(verbs(WRITE), ["append", "replace", "create"]);
  assert.deepEqual(verbs(READ_WRITE), ["read", "list", "append", "replace", "create"]);
  assert.deepEqual(verbs(EXECUTE), ["execute"]);
  assert.deepEqual(verbs(8198), ["read"]);
  assert.deepEqual(verbs(0), []);
  assert.deepEqual(verbs(KNOWN_RIGHTS, "stdout"), ["read", "append"]);
  assert.deepEqual(verbsAt(table(), "/d"), []);
});
