// The configfs attester against a tree that behaves as the kernel's: attributes, bounds, the generation counter, and
// other writers that come in between.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { type AttesterError, createTsmAttester, machineFiles, type TsmFiles } from "../index.ts";

const DATA = new Uint8Array(64).fill(7);

interface Instance {
  generation: number;
  inblob: Uint8Array | undefined;
  privlevel: string | undefined;
}

interface Behaviour {
  readonly provider?: string;
  readonly auxblob?: Uint8Array;
  /** Other writers that write between our write and our read: one is taken each time. */
  interference?: number;
  readonly generation?: string;
  readonly refuse?: string;
  readonly empty?: boolean;
}

/** A tree as the kernel keeps it. */
function kernelTree(behaviour: Behaviour = {}) {
  const instances = new Map<string, Instance>();
  const removed: string[] = [];
  const failed = (code: string): Error => Object.assign(new Error(code), { code });
  const instanceOf = (path: string): Instance => {
    const instance = instances.get(dirname(path));
    if (instance === undefined) throw failed("ENOENT");
    if (behaviour.refuse === basename(path)) throw failed("EIO");
    return instance;
  };
  const files: TsmFiles = {
    async makeDirectory(path) {
      if (instances.has(path)) throw failed("EEXIST");
      instances.set(path, { generation: 0, inblob: undefined, privlevel: undefined });
    },
    async removeDirectory(path) {
      removed.push(path);
      instances.delete(path);
    },
    async write(path, bytes) {
      const instance = instanceOf(path);
      if (basename(path) === "inblob") {
        if (bytes.length > 64) throw failed("EINVAL");
        instance.inblob = bytes.slice();
      } else if (basename(path) === "privlevel") {
        const level = new TextDecoder().decode(bytes);
        if (!/^[0-3]$/.test(level)) throw failed("EINVAL");
        instance.privlevel = level;
      } else {
        throw failed("EACCES");
      }
      instance.generation += 1;
    },
    async read(path) {
      const instance = instanceOf(path);
      const text = (value: string): Uint8Array => new TextEncoder().encode(`${value}\n`);
      switch (basename(path)) {
        case "provider":
          return text(behaviour.provider ?? "sev_guest");
        case "generation":
          return text(behaviour.generation ?? String(instance.generation));
        case "outblob":
          if (instance.inblob === undefined) throw failed("EINVAL");
          if ((behaviour.interference ?? 0) > 0) {
            behaviour.interference = (behaviour.interference ?? 0) - 1;
            instance.inblob = new Uint8Array(64);
            instance.generation += 1;
          }
          if (behaviour.empty) return new Uint8Array();
          return Uint8Array.of(Number(instance.privlevel ?? 9), ...instance.inblob);
        case "auxblob":
          if (behaviour.auxblob === undefined) throw failed("ENOENT");
          return behaviour.auxblob;
        default:
          throw failed("ENOENT");
      }
    },
  };
  return { files, instances, removed };
}

function coded(code: string, message: RegExp): (error: AttesterError) => boolean {
  return (error) => error.code === code && message.test(error.message);
}

test("a report carries the data that was written, and leaves nothing behind", async () => {
  const { files, instances, removed } = kernelTree();
  const { type, report, auxiliary } = await createTsmAttester({ files }).report(DATA);
  assert.equal(type, "snp");
  assert.deepEqual(report, Uint8Array.of(9, ...DATA));
  assert.equal(auxiliary, undefined);
  assert.equal(instances.size, 0);
  assert.equal(removed.length, 1);
});

test("TDX, a privilege level, and what the platform adds", async () => {
  const { files } = kernelTree({ provider: "tdx_guest", auxblob: Uint8Array.of(1, 2) });
  const made = await createTsmAttester({ files, privilegeLevel: 2 }).report(DATA);
  assert.equal(made.type, "tdx");
  assert.equal(made.report[0], 2);
  assert.deepEqual(made.auxiliary, Uint8Array.of(1, 2));
});

test("an empty auxiliary attribute is none", async () => {
  const { files } = kernelTree({ auxblob: new Uint8Array() });
  assert.equal((await createTsmAttester({ files }).report(DATA)).auxiliary, undefined);
});

test("requests at the same time have directories of their own", async () => {
  const { files, removed } = kernelTree();
  const attester = createTsmAttester({ files });
  const data = [1, 2, 3].map((fill) => new Uint8Array(64).fill(fill));
  const made = await Promise.all(data.map((each) => attester.report(each)));
  assert.deepEqual(
    made.map(({ report }) => report[1]),
    [1, 2, 3],
  );
  assert.equal(new Set(removed).size, 3);
});

test("a report that another writer spoilt is asked for again", async () => {
  const { files } = kernelTree({ interference: 2 });
  const { report } = await createTsmAttester({ files }).report(DATA);
  assert.deepEqual(report, Uint8Array.of(9, ...DATA));
});

const REFUSED: readonly (readonly [
  name: string,
  behaviour: Behaviour,
  code: string,
  message: RegExp,
])[] = [
  ["writers that never stop", { interference: 9 }, "ATTESTER_PROTOCOL", /interfered 3 times/],
  ["a provider nobody knows", { provider: "acme" }, "ATTESTER_PROTOCOL", /"acme" is not known/],
  ["a generation that is no number", { generation: "x" }, "ATTESTER_PROTOCOL", /generation is/],
  ["an empty report", { empty: true }, "ATTESTER_PROTOCOL", /empty/],
  ["a write that fails", { refuse: "inblob" }, "ATTESTER_REFUSED", /inblob: EIO/],
  ["a report that fails", { refuse: "outblob" }, "ATTESTER_REFUSED", /outblob: EIO/],
  ["an auxiliary attribute that fails", { refuse: "auxblob" }, "ATTESTER_REFUSED", /auxblob: EIO/],
];

for (const [name, behaviour, code, message] of REFUSED) {
  test(`refused: ${name}`, async () => {
    const { files, instances } = kernelTree(behaviour);
    await assert.rejects(createTsmAttester({ files }).report(DATA), coded(code, message));
    assert.equal(instances.size, 0);
  });
}

test("report data of any other length than 64 bytes is refused before anything is made", async () => {
  const { files, removed } = kernelTree();
  for (const length of [0, 32, 63, 65]) {
    await assert.rejects(
      createTsmAttester({ files }).report(new Uint8Array(length)),
      coded("ATTESTER_INPUT", /64 expected/),
    );
  }
  assert.equal(removed.length, 0);
});

test("a machine without configfs-tsm says so", async () => {
  const root = join(tmpdir(), "holdfast-no-such-tsm", "report");
  await assert.rejects(
    createTsmAttester({ root }).report(DATA),
    coded("ATTESTER_UNREACHABLE", /ENOENT/),
  );
});

test("the machine's files: whole attributes, bounded", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "holdfast-tsm-"));
  t.after(() => rm(root, { recursive: true }));
  const directory = join(root, "entry");
  await machineFiles.makeDirectory(directory);
  await assert.rejects(machineFiles.makeDirectory(directory), { code: "EEXIST" });
  const path = join(directory, "inblob");
  await writeFile(path, "");
  await machineFiles.write(path, DATA);
  assert.deepEqual(await machineFiles.read(path, 64), DATA);
  await assert.rejects(machineFiles.read(path, 63), /over 63 bytes/);
  await assert.rejects(machineFiles.read(join(directory, "none"), 1), { code: "ENOENT" });
  await rm(path);
  await machineFiles.removeDirectory(directory);
  await mkdir(join(root, "left"));
  assert.deepEqual(await readdir(root), ["left"]);
});
