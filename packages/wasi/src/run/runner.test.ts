// Runs in real worker threads: every way to end, limits, streams, snapshots, and threads that are used again.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { KNOWN_RIGHTS } from "@holdfast/policy";
import type { AdmittedModule } from "../module/admit.ts";
import { contentBytes } from "../store/content.ts";
import { FileStore } from "../store/file-store.ts";
import { admit, program } from "../testing/modules.ts";
import type { RunOptions, RunOutcome } from "./options.ts";
import { createSourceWorker, Runner, startRun } from "./runner.ts";

const runner = new Runner({ createWorker: createSourceWorker, warm: 1, graceMs: 20_000 });
after(() => runner.close());

const EVERYTHING = new Map(
  ["/", "stdin", "stdout", "stderr"].map((path) => [path, KNOWN_RIGHTS] as const),
);
const FOREVER = "(loop $again (br $again))";

/** Writes `hello\n` to a new file: path at 64, descriptor at 128. */
const WRITE_FILE = `
  (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 9)
    (i64.const 0x40) (i64.const 0) (i32.const 0) (i32.const 128)))
  (drop (call $fd_write (i32.load (i32.const 128)) (i32.const 0) (i32.const 1) (i32.const 32)))`;
const FILES = `
  (data (i32.const 64) "/out")`;

function files(body: string, extra = ""): string {
  return program(body, `${FILES} ${extra}`)
    .replace("/out", "file")
    .replace(
      "(memory",
      `(import "wasi_snapshot_preview1" "path_open" (func $path_open
        (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
      (memory`,
    );
}

function options(module: AdmittedModule, more: Partial<RunOptions> = {}): RunOptions {
  return {
    module,
    snapshot: { nodes: [] },
    rights: EVERYTHING,
    arguments: ["test"],
    environment: {},
    clock: "system",
    random: "system",
    ...more,
  };
}

async function run(
  text: string,
  more: Partial<RunOptions> = {},
): Promise<RunOutcome & { stdout: string }> {
  let stdout = "";
  const started = runner.start(
    options(await admit(text), {
      onOutput: (stream, bytes) => {
        if (stream === "stdout") stdout += Buffer.from(bytes).toString();
      },
      ...more,
    }),
  );
  return { ...(await started.done), stdout };
}

describe("a run ends", () => {
  it("by returning", async () => {
    const { state, exitCode, stdout, trap, reason } = await run(program("(call $say)"));
    assert.deepEqual(
      { state, exitCode, stdout, trap, reason },
      {
        state: "exited",
        exitCode: 0,
        stdout: "hello\n",
        trap: undefined,
        reason: undefined,
      },
    );
  });

  it("by proc_exit, at once and with its code", async () => {
    const outcome = await run(program("(call $proc_exit (i32.const 42)) (call $say)"));
    assert.deepEqual([outcome.state, outcome.exitCode, outcome.stdout], ["exited", 42, ""]);
    const large = await run(program("(call $proc_exit (i32.const -1))"));
    assert.equal(large.exitCode, 0xffff_ffff);
  });

  it("by proc_exit even where the guest catches everything", async () => {
    const outcome = await run(
      program(`
      (try (do (call $proc_exit (i32.const 7))) (catch_all))
      (call $say)`),
    );
    assert.deepEqual([outcome.state, outcome.exitCode, outcome.stdout], ["exited", 7, ""]);
  });

  it("by a trap, with the function's name", async () => {
    const outcome = await run(
      program(
        "(call $outer)",
        `
      (func $outer (call $dividing))
      (func $dividing (drop (i32.div_u (i32.const 1) (i32.const 0))))`,
      ),
    );
    assert.equal(outcome.state, "trapped");
    assert.deepEqual(outcome.trap, { message: "divide by zero", function: "dividing" });
    assert.equal(outcome.exitCode, undefined);
    assert.equal(outcome.changes, undefined);
  });

  it("by an exception that nobody catches", async () => {
    const outcome = await run(program("(throw $oops)", "(tag $oops)"));
    assert.deepEqual([outcome.state, outcome.trap?.message], ["trapped", "uncaught exception"]);
  });

  it("by a signal that it raises", async () => {
    const raise = program("(drop (call $raise (i32.const 6)))").replace(
      "(memory",
      `(import "wasi_snapshot_preview1" "proc_raise" (func $raise (param i32) (result i32))) (memory`,
    );
    const outcome = await run(raise);
    assert.deepEqual([outcome.state, outcome.trap?.message], ["trapped", "raised signal 6"]);
  });

  it("by a full stack", async () => {
    const outcome = await run(program("(call $deep)", "(func $deep (call $deep) (call $deep))"));
    assert.deepEqual(outcome.trap, { message: "stack overflow", function: "deep" });
  });

  it("by a full stack inside a call of the host, which a guest can't catch and go on from", async () => {
    const outcome = await run(
      files(
        `(call $deep) (loop $again ${WRITE_FILE} (br $again))`,
        `
      (func $deep (try (do ${WRITE_FILE} (call $deep)) (catch_all)))`,
      ),
      {
        keepPartialOutput: true,
        limits: { wallTimeMs: 20_000, descriptors: 1_000_000 },
      },
    );
    assert.deepEqual([outcome.state, outcome.reason], ["trapped", undefined]);
    for (const node of outcome.changes?.written ?? []) {
      // The stack was full between two calls, not inside one.
      assert.equal(
        node.kind === "file" && Buffer.from(contentBytes(node.content)).toString(),
        "hello\n",
      );
    }
  });

  it("by being cancelled, even in an endless loop", async () => {
    const started = runner.start(options(await admit(program(FOREVER))));
    setTimeout(() => started.cancel(), 20);
    const outcome = await started.done;
    assert.equal(outcome.state, "cancelled");
    assert.equal(outcome.changes, undefined);
    started.cancel();
  });

  it("by being cancelled while it sleeps", async () => {
    const started = runner.start(
      options(await admit(SLEEP), { keepPartialOutput: true, onOutput: () => started.cancel() }),
    );
    const outcome = await started.done;
    assert.equal(outcome.state, "cancelled");
    assert.deepEqual(outcome.changes, { removed: [], written: [] });
  });

  it("by being cancelled before it begins", async () => {
    const alone = startRun({
      ...options(await admit(program(FOREVER))),
      createWorker: createSourceWorker,
    });
    alone.cancel();
    assert.equal((await alone.done).state, "cancelled");
  });
});

const SLEEP = program(
  "(call $say) (drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 256)))",
  `
  (data (i32.const 80) "\\01\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\10\\00\\00\\00\\00")`,
)
  .replace(
    "(memory",
    `(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32))) (memory`,
  )
  .replace("\\00\\00\\00\\10\\00\\00\\00\\00", "\\00\\00\\00\\00\\00\\10\\00\\00");

describe("limits", () => {
  it("of wall time end an endless loop", async () => {
    const outcome = await run(program(FOREVER), { limits: { wallTimeMs: 30 } });
    assert.deepEqual([outcome.state, outcome.reason], ["limit", "RUN_WALL_TIME"]);
  });

  it("of output give what fits, and end the run", async () => {
    const outcome = await run(program("(loop $again (call $say) (br $again))"), {
      limits: { outputBytes: 100_001 },
    });
    assert.deepEqual([outcome.state, outcome.reason], ["limit", "RUN_OUTPUT_LIMIT"]);
    assert.equal(outcome.stdout.length, 100_001);
  });

  it("of storage are told to the guest, and noted", async () => {
    const outcome = await run(files(WRITE_FILE), { limits: { storageBytes: 3 } });
    assert.deepEqual([outcome.state, outcome.reason], ["exited", "RUN_STORAGE_LIMIT"]);
  });

  it("of memory hold for the guest, and what it used is told", async () => {
    const module = await admit(
      program(`
      (loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
      (call $say)`),
      2,
    );
    const outcome = await runner.start(options(module)).done;
    assert.equal(outcome.state, "exited");
    assert.equal(outcome.peakMemoryBytes, 2 * 1024 * 1024);
  });

  it("keep partial output only when told to", async () => {
    const outcome = await run(files(`${WRITE_FILE} unreachable`), { keepPartialOutput: true });
    assert.equal(outcome.state, "trapped");
    assert.deepEqual(outcome.outputs, ["/file"]);
    const limited = await run(files(`${WRITE_FILE} (loop $again (call $say) (br $again))`), {
      keepPartialOutput: true,
      limits: { wallTimeMs: 50, outputBytes: 2 ** 40 },
    });
    assert.deepEqual(
      [limited.state, limited.reason, limited.outputs],
      ["limit", "RUN_WALL_TIME", ["/file"]],
    );
    const lost = await run(files(`${WRITE_FILE} unreachable`));
    assert.deepEqual([lost.changes, lost.outputs], [undefined, []]);
  });
});

describe("files", () => {
  it("are those of the snapshot, and what is written comes back as changes", async () => {
    const store = new FileStore({ maximumBytes: 1 << 20 });
    const writer = store.openWrite("/file");
    writer.write(Buffer.from("a longer text"));
    writer.commit();
    const outcome = await run(files(WRITE_FILE), { snapshot: store.snapshot() });
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
      files(`
        (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 0)
          (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 128)))
        (drop (call $fd_read (i32.load (i32.const 128)) (i32.const 0) (i32.const 1) (i32.const 32)))
        (call $say)`).replace(
        "(memory",
        `(import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32))) (memory`,
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
      options(module, {
        onOutput: (_stream, bytes) => {
          heard += Buffer.from(bytes).toString();
          started.cancel();
        },
      }),
    );
    assert.equal((await started.done).state, "cancelled");
    assert.equal(heard, "hello\n");
  });

  it("are the run's own: two runs at once do not mix", async () => {
    const module = await admit(program("(call $say)"));
    const heard = ["", "", ""];
    const runs = heard.map((_, index) =>
      runner.start(
        options(module, {
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
      options(module, {
        onOutput: () => {
          throw new Error("gone");
        },
      }),
    );
    const outcome = await started.done;
    assert.deepEqual([outcome.state, outcome.reason], ["failed", "RUN_RECEIVER_FAILED"]);
  });
});

describe("the deterministic options", () => {
  it("give the same bytes in every run", async () => {
    const random = program(`
      (drop (call $random (i32.const 8) (i32.const 6)))
      (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 8)))
      (drop (call $random (i32.const 12) (i32.const 2)))
      (call $say)`).replace(
      "(memory",
      `(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
       (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
       (memory`,
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
    await run(files(`${WRITE_FILE} (call $proc_exit (i32.const 3))`), {
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
    assert.throws(() => runner.start(options(module, { arguments: ["a\0b"] })), {
      code: "RUN_INVALID",
    });
    assert.throws(() => runner.start(options(module, { environment: { A: "\0" } })), {
      code: "RUN_INVALID",
    });
    assert.equal((await runner.start(options(module)).done).state, "exited");
  });

  it("cancels what runs when it is closed, and starts nothing afterwards", async () => {
    const own = new Runner({ createWorker: createSourceWorker, warm: 2 });
    const module = await admit(program(FOREVER));
    const started = own.start(options(module));
    await own.close();
    assert.equal((await started.done).state, "cancelled");
    assert.throws(() => own.start(options(module)), { code: "RUN_CLOSED" });
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
    const outcome = await broken.start(options(await admit(program(FOREVER)))).done;
    assert.deepEqual([outcome.state, outcome.reason], ["failed", "RUN_WORKER_LOST"]);
  });
});
