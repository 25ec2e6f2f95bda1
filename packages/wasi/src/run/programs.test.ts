// Whole programs from real compilers: C through wasi-libc, AssemblyScript.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { KNOWN_RIGHTS, RIGHTS } from "@holdfast/policy";
import { admitModule } from "../module/admit.ts";
import { FileStore } from "../store/file-store.ts";
import { compileAssemblyScript } from "../testing/assemblyscript.ts";
import { clangMissing, compileC } from "../testing/clang.ts";
import type { RunOptions, RunOutcome } from "./options.ts";
import { createSourceWorker, Runner } from "./runner.ts";

const runner = new Runner({ createWorker: createSourceWorker, warm: 1 });
after(() => runner.close());

interface Ran extends RunOutcome {
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  bytes: Uint8Array,
  options: Partial<RunOptions> & { store?: FileStore } = {},
): Promise<Ran> {
  const heard = { stdout: "", stderr: "" };
  const outcome = await runner.start({
    module: await admitModule(bytes, { maxMemoryMib: 16 }),
    snapshot: options.store?.snapshot() ?? { nodes: [] },
    rights: new Map([
      ["stdout", RIGHTS.fd_write],
      ["stderr", RIGHTS.fd_write],
    ]),
    arguments: ["program"],
    environment: {},
    clock: "off",
    random: "system",
    onOutput: (stream, bytes) => {
      heard[stream] += Buffer.from(bytes).toString();
    },
    ...options,
  }).done;
  return { ...outcome, ...heard };
}

function filled(files: Readonly<Record<string, string>>): FileStore {
  const store = new FileStore({ maximumBytes: 1 << 20 });
  for (const [path, text] of Object.entries(files)) {
    const writer = store.openWrite(path);
    writer.write(Buffer.from(text));
    writer.commit();
  }
  return store;
}

describe("C programs", { skip: clangMissing() ?? false }, () => {
  it("find their files by absolute and relative paths, and what they may not do they learn", async () => {
    const store = filled({ "/input/a.txt": "from a", "/other/secret": "secret" });
    const read = RIGHTS.fd_read | RIGHTS.fd_seek | RIGHTS.path_open | RIGHTS.fd_readdir;
    const { state, exitCode, stdout, stderr, changes, inputs, outputs } = await run(
      compileC("files.c"),
      {
        store,
        rights: new Map([
          ["/input", read],
          ["/output", KNOWN_RIGHTS],
          ["stdin", KNOWN_RIGHTS],
          ["stdout", RIGHTS.fd_write],
          ["stderr", RIGHTS.fd_write],
        ]),
        directories: ["/output"],
        arguments: ["program", "first"],
        environment: { NAME: "value" },
        stdin: Buffer.from("a line\n"),
      },
    );
    assert.deepEqual(stdout.split("\n"), [
      "2 first value",
      "/input/a.txt: 6 from a",
      "input/a.txt: 6 from a",
      "./input/a.txt: 6 from a",
      "/input/none: No such file or directory",
      "open /input/b.txt: Permission denied",
      "/output/one: 12 first second",
      "/other/secret: Permission denied",
      "/output/../other/secret: Capabilities insufficient",
      "mkdir: ok",
      "rename: ok",
      "link: ok",
      "symlink: ok",
      "readlink 3 d/y",
      "/output/s: 1 x",
      "/output: . .. d one s",
      "/output/d: . .. y z",
      "list /: Permission denied",
      "rmdir: Directory not empty",
      "unlink: ok",
      "truncate: ok",
      "/output/one: 3 fir",
      "stat: ok",
      "size 3 file 1",
      "seek 103",
      "write 3",
      "fstat: ok",
      "size 106 terminal 0 1",
      "stdin a line",
      "",
      "",
    ]);
    assert.equal(stderr, "to stderr\n");
    assert.deepEqual([state, exitCode], ["exited", 3]);
    assert.deepEqual(inputs, ["/input/a.txt"]);
    assert.deepEqual(outputs, ["/output/d/y", "/output/one"]);
    assert.ok(changes);
    store.apply(changes);
    assert.deepEqual(
      store.list("/output").map(({ path, kind }) => `${kind} ${path}`),
      ["directory /output/d", "file /output/one", "symlink /output/s"],
    );
  });

  it("have their functions named when they trap", async () => {
    const outcome = await run(compileC("trap.c"));
    assert.equal(outcome.state, "trapped");
    assert.match(outcome.trap?.message ?? "", /out of bounds/);
    assert.match(outcome.trap?.function ?? "", /reach$/);
  });
});

describe("AssemblyScript programs", () => {
  it("call WASI and exit with their code", async () => {
    const bytes = await compileAssemblyScript(`
      @external("wasi_snapshot_preview1", "fd_write")
      declare function fd_write(fd: i32, vectors: usize, count: i32, result: usize): i32;
      @external("wasi_snapshot_preview1", "random_get")
      declare function random_get(buffer: usize, length: i32): i32;
      @external("wasi_snapshot_preview1", "proc_exit")
      declare function proc_exit(code: i32): void;

      function say(text: string): void {
        const bytes = String.UTF8.encode(text);
        const vector = memory.data(16);
        store<u32>(vector, changetype<usize>(bytes));
        store<u32>(vector, bytes.byteLength, 4);
        fd_write(1, vector, 1, vector + 8);
      }

      let sum: u64 = 0;
      for (let n = 1; n <= 1000; n++) sum += n * n;
      say("sum " + sum.toString() + "\\n");
      const random = memory.data(8);
      say("random " + random_get(random, 8).toString() + "\\n");
      proc_exit(i32(sum % 100));
    `);
    const outcome = await run(bytes);
    assert.equal(outcome.stdout, "sum 333833500\nrandom 0\n");
    assert.deepEqual([outcome.state, outcome.exitCode], ["exited", 0]);
  });
});
