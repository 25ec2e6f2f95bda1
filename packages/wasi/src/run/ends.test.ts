// Every way in which a run ends, in real worker threads.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { createRing, Ring } from "../host/ring.ts";
import { contentBytes } from "../store/content.ts";
import { admit, program } from "../testing/modules.ts";
import {
  FOREVER,
  fileProgram,
  importing,
  runOptions,
  runText,
  WRITE_FILE,
} from "../testing/runs.ts";
import type { RunOptions } from "./options.ts";
import { createSourceWorker, Runner, startRun } from "./runner.ts";

const runner = new Runner({ createWorker: createSourceWorker, warm: 1, graceMs: 20_000 });
after(() => runner.close());
const run = (text: string, more?: Partial<RunOptions>) => runText(runner, text, more);

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
    const raise = importing(
      program("(drop (call $raise (i32.const 6)))"),
      `"wasi_snapshot_preview1" "proc_raise" (func $raise (param i32) (result i32))`,
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
      fileProgram(
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
    const started = runner.start(runOptions(await admit(program(FOREVER))));
    setTimeout(() => started.cancel(), 20);
    const outcome = await started.done;
    assert.equal(outcome.state, "cancelled");
    assert.equal(outcome.changes, undefined);
    started.cancel();
  });

  it("by being cancelled while it sleeps", async () => {
    const started = runner.start(
      runOptions(await admit(SLEEP), { keepPartialOutput: true, onOutput: () => started.cancel() }),
    );
    const outcome = await started.done;
    assert.equal(outcome.state, "cancelled");
    assert.deepEqual(outcome.changes, { removed: [], written: [] });
  });

  it("by being cancelled just before it sleeps", () => {
    const ring = new Ring(createRing());
    assert.equal(ring.sleep(1), true);
    ring.stop();
    assert.equal(ring.sleep(1000), false);
  });

  it("by being cancelled before it begins", async () => {
    const alone = startRun({
      ...runOptions(await admit(program(FOREVER))),
      createWorker: createSourceWorker,
    });
    alone.cancel();
    assert.equal((await alone.done).state, "cancelled");
  });
});

/** Says hello, then sleeps for hours: a subscription of the monotonic clock stands at 64. */
const SLEEP = importing(
  program(
    "(call $say) (drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 256)))",
    `(data (i32.const 80) "\\01\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\10\\00\\00")`,
  ),
  `"wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32))`,
);

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
    const outcome = await run(fileProgram(WRITE_FILE), { limits: { storageBytes: 3 } });
    assert.deepEqual([outcome.state, outcome.reason], ["exited", "RUN_STORAGE_LIMIT"]);
  });

  it("of memory hold for the guest, and what it used is told", async () => {
    const module = await admit(
      program(`
      (loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
      (call $say)`),
      2,
    );
    const outcome = await runner.start(runOptions(module)).done;
    assert.equal(outcome.state, "exited");
    assert.equal(outcome.peakMemoryBytes, 2 * 1024 * 1024);
  });

  it("keep partial output only when told to", async () => {
    const outcome = await run(fileProgram(`${WRITE_FILE} unreachable`), {
      keepPartialOutput: true,
    });
    assert.equal(outcome.state, "trapped");
    assert.deepEqual(outcome.outputs, ["/file"]);
    const limited = await run(fileProgram(`${WRITE_FILE} (loop $again (call $say) (br $again))`), {
      keepPartialOutput: true,
      // A limit on output is reached in the same call each time, on a machine of any speed.
      limits: { outputBytes: 100 },
    });
    assert.deepEqual(
      [limited.state, limited.reason, limited.outputs],
      ["limit", "RUN_OUTPUT_LIMIT", ["/file"]],
    );
    const lost = await run(fileProgram(`${WRITE_FILE} unreachable`));
    assert.deepEqual([lost.changes, lost.outputs], [undefined, []]);
  });
});
