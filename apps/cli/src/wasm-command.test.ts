import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { before, suite, test } from "node:test";
import { inEmptyDirectory, run, runJson } from "./testing/run.ts";
import {
  exitingModule,
  loopingModule,
  trappingModule,
  writingModule,
} from "./testing/tiny-module.ts";

suite("wasm run", () => {
  const directory = inEmptyDirectory();
  before(() => {
    writeFileSync("seven.wasm", exitingModule(7));
    writeFileSync("hello.wasm", writingModule("hello, keep\n"));
    writeFileSync("trap.wasm", trappingModule());
    writeFileSync("loop.wasm", loopingModule());
    writeFileSync("none.wasm", "not a module");
  });

  test("has the guest's exit code as its own", async () => {
    assert.deepEqual(await run(["wasm", "run", "seven.wasm"]), { code: 7, stdout: "", stderr: "" });
  });

  test("passes the guest's output on", async () => {
    const { code, stdout } = await run(["wasm", "run", "hello.wasm"]);
    assert.deepEqual([code, stdout], [0, "hello, keep\n"]);
  });

  test("puts all in one object with --json", async () => {
    const { code, value } = await runJson(["wasm", "run", "hello.wasm"]);
    assert.equal(code, 0);
    assert.deepEqual([value["ok"], value["stdout"], value["exitCode"]], [true, "hello, keep\n", 0]);
    assert.match(String(value["sha256"]), /^[0-9a-f]{64}$/);
  });

  test("shows each call with --trace", async () => {
    const { stderr } = await run(["wasm", "run", "seven.wasm", "--trace"]);
    assert.match(stderr, /proc_exit\(.*7/);
  });

  test("tells a trap, and ends with 134", async () => {
    const { code, stderr } = await run(["wasm", "run", "trap.wasm"]);
    assert.equal(code, 134);
    assert.match(stderr, /trapped: unreachable/);
  });

  test("ends a loop at its time", async () => {
    const { code, stderr } = await run(["wasm", "run", "loop.wasm", "--timeout", "50"]);
    assert.equal(code, 1);
    assert.match(stderr, /RUN_WALL_TIME/);
  });

  test("ends a loop on Ctrl-C", async () => {
    const interruption = new AbortController();
    const running = run(["wasm", "run", "loop.wasm"], { interrupted: interruption.signal });
    interruption.abort();
    assert.equal((await running).code, 130);
  });

  test("gives no rights that were not named", async () => {
    const without = await run(["wasm", "run", "hello.wasm", "--rights", "stdout=0"]);
    assert.deepEqual([without.code, without.stdout], [0, ""]);
    const other = await run(["wasm", "run", "hello.wasm", "--rights", "/data=r"]);
    assert.deepEqual([other.code, other.stdout], [0, "hello, keep\n"]);
  });

  test("refuses what is no module, and changes nothing", async () => {
    const names = directory.names();
    const { code, stderr } = await run(["wasm", "run", "none.wasm", "--dir", ".::/"]);
    assert.equal(code, 1);
    assert.match(stderr, /MODULE_MALFORMED/);
    assert.deepEqual(directory.names(), names);
  });

  test("refuses a directory that is not there", async () => {
    const { code, stderr } = await run(["wasm", "run", "hello.wasm", "--dir", "nowhere::/"]);
    assert.equal(code, 1);
    assert.match(stderr, /OFFLINE_DIRECTORY/);
  });
});
