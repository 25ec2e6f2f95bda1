// Runs in real worker threads: snapshots, streams, and threads that are used again.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { admitModule } from "../module/admit.ts";
import { contentBytes } from "../store/content.ts";
import { FileStore } from "../store/file-store.ts";
import { admit, assemble, program } from "../testing/modules.ts";
import {
  FOREVER,
  fileProgram,
  importing,
  runOptions,
  runText,
  WRITE_FILE,
} from "../testing/runs.ts";
import type { RunOptions } from "./options.ts";
import { createSourceWorker, Runner, WORKER_ENTRY } from "./runner.ts";

const runner = new Runner({ createWorker: createSourceWorker, warm: 1, graceMs: 20_000 });
after(() => runner.close());
const run = (text: string, more?: Partial<RunOptions>) => runText(runner, text, more);

describe("files", () => {
  it("are those of the snapshot, and what is written comes back as changes", async () => {
    const store = new FileStore({ maximumBytes: 1 << 20 });
    const writer = store.openWrite("/file");
    writer.write(Buffer.from("a longer text"));
    writer.commit();
    const outcome = await run(fileProgram(WRITE_FILE), { snapshot: store.snapshot() });
    assert.deepEqual(outcome.outputs, ["/file"]);
    assert.deepEqual(outcome.inputs, []);
    assert.equal(outcome.bytesWritten, 6);
    const text = (): string => Buffer.from(contentBytes(store.content("/file"))).toString();
    assert.equal(text(), "a longer text", "nothing is seen before it is applied");
    assert.ok(outcome.changes);
    store.apply(outcome.changes);
    assert.equal(text(), "hello\n");
  });

  it("that are read are inputs", async () => {
    const store = new FileStore({ maximumBytes: 1 << 20 });
    for (const path of ["/file", "/other"]) {
      const writer = store.openWrite(path);
      writer.write(Buffer.from("text"));
      writer.commit();
    }
    const outcome = await run(
      importing(
        fileProgram(`
          (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 0)
            (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 128)))
          (drop (call $fd_read (i32.load (i32.const 128)) (i32.const 0) (i32.const 1) (i32.const 32)))
          (call $say)`),
        `"wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32))`,
      ),
      { snapshot: store.snapshot() },
    );
    assert.deepEqual([outcome.inputs, outcome.outputs, outcome.bytesRead], [["/file"], [], 4]);
    assert.equal(outcome.stdout, "texto\n");
  });
});

describe("streams", () => {
  it("are given on while the guest runs", async () => {
    const module = await admit(program(`(call $say) ${FOREVER}`));
    let heard = "";
    const started = runner.start(
      runOptions(module, {
        onOutput: (_stream, bytes) => {
          heard += Buffer.from(bytes).toString();
          started.cancel();
        },
      }),
    );
    assert.equal((await started.done).state, "cancelled");
    assert.equal(heard, "hello\n");
  });

  it("deliberately different from Veracruz: a shorter second output leaves no tail of the first", async () => {
    const first = await run(program("(call $say) (call $say)"));
    const second = await run(program("(call $say)"));
    assert.deepEqual([first.stdout, second.stdout], ["hello\nhello\n", "hello\n"]);
  });

  it("are the run's own: two runs at once do not mix", async () => {
    const module = await admit(program("(call $say)"));
    const heard = ["", "", ""];
    const runs = heard.map((_, index) =>
      runner.start(
        runOptions(module, {
          onOutput: (_stream, bytes) => {
            heard[index] += Buffer.from(bytes).toString();
          },
        }),
      ),
    );
    const outcomes = await Promise.all(runs.map(({ done }) => done));
    assert.deepEqual(
      outcomes.map(({ state }) => state),
      ["exited", "exited", "exited"],
    );
    assert.deepEqual(heard, ["hello\n", "hello\n", "hello\n"]);
  });

  it("wait for a slow receiver, and more than the buffer holds comes through whole", async () => {
    const many = program(`(local $n i32)
      (loop $again (call $say) (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $n) (i32.const 100000))))`);
    const outcome = await run(many);
    assert.equal(outcome.stdout.length, 600_000);
    assert.equal(outcome.stdout, "hello\n".repeat(100_000));
  });

  it("that the receiver fails on end the run", async () => {
    const module = await admit(program("(loop $again (call $say) (br $again))"));
    const started = runner.start(
      runOptions(module, {
        onOutput: () => {
          throw new Error("gone");
        },
      }),
    );
    const outcome = await started.done;
    assert.deepEqual([outcome.state, outcome.reason], ["failed", "RUN_RECEIVER_FAILED"]);
  });
});

describe("programs of other shapes", () => {
  it("import the older generation, or their memory, or take argc and argv", async () => {
    const plain = program("(call $say)");
    const shapes = [
      plain.replaceAll("wasi_snapshot_preview1", "wasi_unstable"),
      plain.replace(`(memory (export "memory") 1)`, `(import "env" "memory" (memory 1))`),
      plain.replace(`(func (export "_start")`, `(func (export "_start") (param i32 i32)`),
      plain.replace(`(func (export "_start")`, `(start $say) (func (export "_start")`),
    ];
    for (const shape of shapes) {
      const outcome = await run(shape);
      assert.deepEqual([outcome.state, outcome.stdout], ["exited", "hello\n"], shape);
    }
  });
});

describe("memory that grows while the guest runs", () => {
  it("is seen by the calls after it", async () => {
    const outcome = await run(
      program(`
        (drop (memory.grow (i32.const 3)))
        (i32.store (i32.const 196600) (i32.const 0x0a216f68))
        (i32.store (i32.const 0) (i32.const 196600))
        (i32.store (i32.const 4) (i32.const 4))
        (call $say)`),
    );
    assert.deepEqual([outcome.state, outcome.stdout], ["exited", "ho!\n"]);
    assert.equal(outcome.peakMemoryBytes, 4 * 65_536);
  });
});

describe("the deterministic options", () => {
  it("give the same bytes in every run", async () => {
    const drawing = importing(
      program(`
        (drop (call $random (i32.const 8) (i32.const 6)))
        (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 8)))
        (drop (call $random (i32.const 12) (i32.const 2)))
        (call $say)`),
      `"wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32))`,
    );
    const random = importing(
      drawing,
      `"wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32))`,
    );
    const seeded = (seed: number) =>
      run(random, { random: { seed: Uint8Array.of(seed) }, clock: { fixed: new Date(12_345) } });
    const [first, again, other] = [await seeded(1), await seeded(1), await seeded(2)];
    assert.equal(first.stdout, again.stdout);
    assert.notEqual(first.stdout, other.stdout);
  });
});

describe("traces", () => {
  it("have each call with its arguments and result, paths as text", async () => {
    const lines: string[] = [];
    await run(fileProgram(`${WRITE_FILE} (call $proc_exit (i32.const 3))`), {
      onTrace: (line) => lines.push(line),
    });
    assert.deepEqual(lines, [
      'path_open(3, 0, "file", 9, 64, 0, 0, 128) = success',
      "fd_write(4, 0, 1, 32) = success",
      "proc_exit(3)",
    ]);
  });
});

describe("the runner", () => {
  it("lives on after any end, and refuses what can't be passed", async () => {
    const module = await admit(program("(call $say)"));
    assert.throws(() => runner.start(runOptions(module, { arguments: ["a\0b"] })), {
      code: "RUN_INVALID",
    });
    assert.throws(() => runner.start(runOptions(module, { environment: { A: "\0" } })), {
      code: "RUN_INVALID",
    });
    assert.equal((await runner.start(runOptions(module)).done).state, "exited");
  });

  it("cancels what runs when it is closed, and starts nothing afterwards", async () => {
    const own = new Runner({ createWorker: createSourceWorker, warm: 2 });
    const module = await admit(program(FOREVER));
    const started = own.start(runOptions(module));
    await own.close();
    assert.equal((await started.done).state, "cancelled");
    assert.throws(() => own.start(runOptions(module)), { code: "RUN_CLOSED" });
  });

  it("reports a thread that is out of memory, and goes on", async () => {
    const small = new Runner({
      createWorker: () =>
        new Worker(WORKER_ENTRY, { resourceLimits: { maxOldGenerationSizeMb: 32 } }),
      warm: 0,
    });
    const module = await admit(
      importing(
        program("(loop $again (drop (call $create (i32.const 64))) (br $again))"),
        `"veracruz_si" "fd_create" (func $create (param i32) (result i32))`,
      ),
    );
    const greedy = { limits: { descriptors: 10_000_000, entries: 10_000_000 } };
    const outcome = await small.start(runOptions(module, greedy)).done;
    assert.deepEqual([outcome.state, outcome.reason], ["failed", "RUN_OUT_OF_MEMORY"]);
    const next = await small.start(runOptions(await admit(program("(call $say)")))).done;
    assert.equal(next.state, "exited");
  });

  it("survives any module that was admitted, however its bytes were changed", async () => {
    const sound = await assemble(
      fileProgram(`${WRITE_FILE} (call $say) (call $proc_exit (i32.const 3))`),
    );
    const changed = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 3,
    });
    let ran = 0;
    await fc.assert(
      fc.asyncProperty(changed, async (edits) => {
        const bytes = sound.slice();
        for (const [at, value] of edits) bytes[at] = value;
        const module = await admitModule(bytes, { maxMemoryMib: 1 }).catch(() => undefined);
        if (module === undefined) return;
        ran += 1;
        const outcome = await runner.start(runOptions(module, { limits: { wallTimeMs: 100 } }))
          .done;
        assert.notEqual(outcome.state, "failed", String(outcome.reason));
      }),
      { numRuns: 150 },
    );
    assert.ok(ran > 10, `${ran} of the modules were admitted`);
  });

  it("reports a worker that is gone", async () => {
    const broken = new Runner({
      createWorker: () => {
        const worker = createSourceWorker();
        worker.once("online", () => void worker.terminate());
        return worker;
      },
      warm: 0,
    });
    const outcome = await broken.start(runOptions(await admit(program(FOREVER)))).done;
    assert.deepEqual([outcome.state, outcome.reason], ["failed", "RUN_WORKER_LOST"]);
  });
});
