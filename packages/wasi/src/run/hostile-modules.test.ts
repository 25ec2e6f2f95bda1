// Programs that do what no sound program does. Each ends as documented, and the same runner runs the next one.
import assert from "node:assert/strict";
import { after, afterEach, describe, it } from "node:test";
import { admitModule } from "../module/admit.ts";
import { clangMissing, compileC } from "../testing/clang.ts";
import { admit, assemble, crafted, program } from "../testing/modules.ts";
import { fileProgram, importing, runOptions, runText, WRITE_FILE } from "../testing/runs.ts";
import type { RunOptions } from "./options.ts";
import { createSourceWorker, Runner } from "./runner.ts";

const runner = new Runner({ createWorker: createSourceWorker, warm: 1 });
after(() => runner.close());
const run = (text: string, more?: Partial<RunOptions>) => runText(runner, text, more);
afterEach(async () => {
  const next = await run(program("(call $say)"));
  assert.deepEqual([next.state, next.stdout], ["exited", "hello\n"], "the runner goes on");
});

/** A program whose start function does something, before its entry would. */
const starting = (body: string): string =>
  program("(call $say)", `(func $first ${body}) (start $first)`);

describe("a start function", { timeout: 60_000 }, () => {
  it("that exits ends the run with its code", async () => {
    const { state, exitCode, stdout } = await run(starting("(call $proc_exit (i32.const 7))"));
    assert.deepEqual([state, exitCode, stdout], ["exited", 7, ""]);
  });

  it("that exits and catches it ends the run all the same", async () => {
    const caught = "(try (do (call $proc_exit (i32.const 7))) (catch_all))";
    const { state, exitCode, stdout } = await run(starting(caught));
    assert.deepEqual([state, exitCode, stdout], ["exited", 7, ""]);
  });

  it("that traps is told with its name", async () => {
    const { state, trap, changes } = await run(starting("unreachable"));
    assert.deepEqual([state, trap], ["trapped", { message: "unreachable", function: "first" }]);
    assert.equal(changes, undefined);
  });

  it("that throws is an uncaught exception", async () => {
    const { state, trap } = await run(
      program("(call $say)", "(tag $oops) (func $first (throw $oops)) (start $first)"),
    );
    assert.deepEqual([state, trap?.message], ["trapped", "uncaught exception"]);
  });

  it("that never ends is cancelled", async () => {
    const started = runner.start(runOptions(await admit(starting("(loop $again (br $again))"))));
    setTimeout(() => started.cancel(), 20);
    assert.equal((await started.done).state, "cancelled");
  });

  it("that calls the host finds no memory yet, and harms nobody", async () => {
    const { state, stdout } = await run(starting("(call $say)"));
    assert.deepEqual([state, stdout], ["exited", "hello\n"]);
  });
});

describe("segments outside their memory or table", { timeout: 60_000 }, () => {
  it("of data trap before anything runs", async () => {
    const { state, trap } = await run(program("(call $say)", `(data (i32.const 65536) "x")`));
    assert.equal(state, "trapped");
    assert.match(trap?.message ?? "", /data segment .* out of bounds/);
  });

  it("of elements trap before anything runs", async () => {
    const { state, trap } = await run(
      program("(call $say)", `(table 1 funcref) (elem (i32.const 1) $say)`),
    );
    assert.equal(state, "trapped");
    assert.match(trap?.message ?? "", /table initializer .* bounds|table index is out of bounds/);
  });
});

describe("programs that take all they can get", { timeout: 120_000 }, () => {
  it("of tables get what is allowed, in each of eight", async () => {
    const tables = Array.from({ length: 8 }, (_, index) => `(table $t${index} 0 funcref)`).join(
      " ",
    );
    const grow = Array.from(
      { length: 8 },
      (_, index) => `
      (if (i32.eq (table.grow $t${index} (ref.null func) (i32.const 1000000)) (i32.const -1)) (then unreachable))
      (if (i32.ne (table.grow $t${index} (ref.null func) (i32.const 1)) (i32.const -1)) (then unreachable))`,
    ).join(" ");
    assert.equal((await run(program(grow, tables))).state, "exited");
  });

  it("of functions may have fifty thousand", async () => {
    const many = Array.from(
      { length: 50_000 },
      (_, index) =>
        `(func $f${index} (param i32) (result i32) (i32.add (local.get 0) (i32.const ${index})))`,
    );
    const { state, exitCode } = await run(
      program("(call $proc_exit (call $f49999 (i32.const 1)))", many.join("\n")),
    );
    assert.deepEqual([state, exitCode], ["exited", 50_000]);
  });

  it("of the stack trap, deep in frames of any size", async () => {
    const locals = Array.from({ length: 200 }, () => "i64").join(" ");
    const bodies = [
      program("(call $deep)", "(func $deep (call $deep) (call $deep))"),
      program("(call $wide)", `(func $wide (local ${locals}) (call $wide) (call $wide))`),
      program(
        "(call_indirect (i32.const 0))",
        "(table 1 funcref) (elem (i32.const 0) $turn) (func $turn (call_indirect (i32.const 0)) (call $say))",
      ),
    ];
    for (const body of bodies) {
      const { state, trap } = await run(body);
      assert.deepEqual([state, trap?.message], ["trapped", "stack overflow"]);
    }
  });

  it("of blocks may nest them deep, and branches choose among many", async () => {
    const depth = 50_000;
    const blocks = Buffer.alloc(2 * depth);
    for (let index = 0; index < depth; index += 1) blocks.set([0x02, 0x40], 2 * index);
    // i32.const 0; br_table of a thousand labels, all the innermost.
    const branch = Uint8Array.from([0x41, 0, 0x0e, 0xe8, 0x07, ...Array<number>(1001).fill(0)]);
    const body = Buffer.concat([blocks, branch, Buffer.alloc(depth + 1, 0x0b)]);
    for (const deterministic of [false, true]) {
      const module = await admitModule(crafted(body), { maxMemoryMib: 1, deterministic });
      assert.equal((await runner.start(runOptions(module)).done).state, "exited");
    }
  });

  it("of names are told in a trap without forging a line, and cut", async () => {
    for (const [name, told] of [
      ["a\tb\u0007", "a?b?"],
      ["a\nb\u0007", "function 4"],
    ] as const) {
      const bytes = await assemble(program("(call $evil)", "(func $evil unreachable)"));
      bytes.set(Buffer.from(name), Buffer.from(bytes).lastIndexOf("evil"));
      const started = runner.start(runOptions(await admitModule(bytes, { maxMemoryMib: 1 })));
      assert.equal((await started.done).trap?.function, told);
    }
  });

  it("of exceptions catch and throw them without end, until the time is over", async () => {
    const body = `(loop $again (try (do (throw $oops (i32.const 1))) (catch $oops drop)) (br $again))`;
    const { state, reason } = await run(program(body, "(tag $oops (param i32))"), {
      limits: { wallTimeMs: 200 },
    });
    assert.deepEqual([state, reason], ["limit", "RUN_WALL_TIME"]);
  });

  it("of files, and open all of them, get the documented errors", async () => {
    const greedy = fileProgram(
      `(local $errno i32)
      (loop $again
        (i32.store8 (i32.const 64) (i32.add (i32.load8_u (i32.const 64)) (i32.const 1)))
        (local.set $errno (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 9)
          (i64.const 0x40) (i64.const 0) (i32.const 0) (i32.const 128)))
        (br_if $again (i32.eqz (local.get $errno))))
      (call $proc_exit (local.get $errno))`,
    );
    assert.equal((await run(greedy, { limits: { descriptors: 20 } })).exitCode, 33);
    const few = await run(greedy, { limits: { entries: 20 } });
    assert.deepEqual([few.exitCode, few.reason], [51, "RUN_STORAGE_LIMIT"]);
  });

  it("of sleep, as long as a number says, are cancelled", async () => {
    const sleeping = importing(
      program(
        "(call $say) (drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 256)))",
        `(data (i32.const 80) "\\01\\00\\00\\00\\00\\00\\00\\00\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff")`,
      ),
      `"wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32))`,
    );
    const started = runner.start(
      runOptions(await admit(sleeping), { onOutput: () => started.cancel() }),
    );
    assert.equal((await started.done).state, "cancelled");
  });

  const endless: Readonly<Record<string, string>> = {
    "filling memory": "(memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216))",
    "copying memory":
      "(memory.copy (i32.const 8388608) (i32.const 0) (i32.const 8388608)) (memory.copy (i32.const 0) (i32.const 1) (i32.const 16777215))",
    "filling a table": "(table.fill (i32.const 0) (ref.null func) (i32.const 1000000))",
    "copying a table": "(table.copy (i32.const 0) (i32.const 1) (i32.const 999999))",
    "not growing memory": "(drop (memory.grow (i32.const 0)))",
    "not growing a table": "(drop (table.grow (ref.null func) (i32.const 0)))",
    "putting memory in": "(memory.init $d (i32.const 0) (i32.const 0) (i32.const 60000))",
    throwing: "(try (do (throw $oops)) (catch_all))",
    dividing: "(drop (i64.div_u (i64.const -1) (i64.load (i32.const 8))))",
    "touching memory far away":
      "(i32.store (local.tee $at (i32.and (i32.mul (i32.add (local.get $at) (i32.const 5)) (i32.const 1664525)) (i32.const 16777208))) (i32.const 7))",
  };
  for (const [what, instruction] of Object.entries(endless)) {
    it(`of time, ${what}, are ended`, async () => {
      const text = program(
        `(local $at i32) (i32.store (i32.const 8) (i32.const 3)) (loop $again ${instruction} (br $again))`,
        `(table 1000000 funcref) (tag $oops) (data $d "${"x".repeat(60_000)}")`,
      ).replace(`(memory (export "memory") 1)`, `(memory (export "memory") 256)`);
      const { state, reason } = await run(text, { limits: { wallTimeMs: 50 } });
      assert.deepEqual([state, reason], ["limit", "RUN_WALL_TIME"]);
    });
  }

  it("of memory out of bounds trap where they are, not where the host does it for them", async () => {
    const text = (instruction: string): string =>
      program("(call $over)", `(func $over ${instruction})`);
    for (const instruction of [
      "(memory.fill (i32.const 1) (i32.const 1) (i32.const 65536))",
      "(memory.fill (i32.const -1) (i32.const 1) (i32.const -1))",
      "(memory.copy (i32.const 0) (i32.const 1) (i32.const 65536))",
      "(memory.copy (i32.const 20000000) (i32.const 0) (i32.const -1))",
    ]) {
      const { trap } = await run(text(instruction));
      assert.deepEqual(trap, { message: "memory access out of bounds", function: "over" });
    }
  });
});

describe("a host that is called back from within", { timeout: 60_000 }, () => {
  it("does not run on after an exit in the middle of a chain of calls", async () => {
    const { exitCode, stdout, changes } = await run(
      fileProgram(
        `(call $a) (call $say)`,
        `(func $a (call $b) (call $say)) (func $b (call $proc_exit (i32.const 9)) (call $say) ${WRITE_FILE})`,
      ),
    );
    assert.deepEqual([exitCode, stdout, changes?.written], [9, "", []]);
  });
});

describe("a C program that means harm", { skip: clangMissing() ?? false, timeout: 60_000 }, () => {
  it("gets the errors of POSIX from its library", async () => {
    let stdout = "";
    const { state, exitCode } = await runner.start(
      runOptions(await admitModule(compileC("hostile.c"), { maxMemoryMib: 16 }), {
        limits: { descriptors: 64 },
        onOutput: (_stream, bytes) => {
          stdout += Buffer.from(bytes).toString();
        },
      }),
    ).done;
    assert.deepEqual([state, exitCode], ["exited", 0]);
    assert.deepEqual(stdout.trim().split("\n"), [
      "rename into itself: EINVAL",
      "loop: ELOOP",
      "absolute link: ENOTCAPABLE",
      "out of the root: ENOTCAPABLE",
      "too long: ENAMETOOLONG",
      "seek below zero: EINVAL",
      "write to a reader: EBADF",
      "truncate to terabytes: ENOSPC",
      "remove what is full: ENOTEMPTY",
      "open everything: EMFILE",
      "unlinked lives: kept",
      "renamed over lives: old",
      "map everything: ENOMEM",
    ]);
  });
});
