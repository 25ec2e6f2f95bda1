// Programs that mean harm to the keep they run in: each ends as documented, and the keep serves on.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { KeepClient } from "@holdfast/contract";
import { fromText, readBody, toText } from "@holdfast/core";
import { printing, wat } from "./testing/programs.ts";
import { refused } from "./testing/refused.ts";
import { startTestKeep, type TestKeep } from "./testing/test-keep.ts";
import { EXECUTE, READ, WRITE } from "./testing/test-policy.ts";

const EXIT = `(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))`;
const MEMORY = `(memory (export "memory") 256)`;
const ENTRY = `(func (export "_start"))`;

/** Programs that are admitted, and how their runs end. */
const ENDS: Readonly<Record<string, readonly [source: string, state: string]>> = {
  "exits as it starts": [
    `(module ${EXIT} ${MEMORY} (func $f (call $exit (i32.const 0))) (start $f) ${ENTRY})`,
    "exited",
  ],
  "traps as it starts": [`(module ${MEMORY} (func $f unreachable) (start $f) ${ENTRY})`, "trapped"],
  "never ends as it starts": [
    `(module ${MEMORY} (func $f (loop $a (br $a))) (start $f) ${ENTRY})`,
    "cancelled",
  ],
  "fills memory without end": [
    `(module ${MEMORY} (func (export "_start")
      (loop $a (memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216)) (br $a))))`,
    "cancelled",
  ],
  "prints without end": [printing("a line of some length\n", { times: 1_000_000_000 }), "limit"],
  "puts data outside its memory": [
    `(module ${MEMORY} (data (i32.const -8) "x") ${ENTRY})`,
    "trapped",
  ],
};

/** Programs that are refused, and why. */
const REFUSED: Readonly<Record<string, readonly [source: string, why: RegExp]>> = {
  "asks for what is not there": [
    `(module (import "env" "system" (func)) ${MEMORY} ${ENTRY})`,
    /MODULE_IMPORT/,
  ],
  "has a table of ten million": [
    `(module ${MEMORY} (table 10000000 funcref) ${ENTRY})`,
    /MODULE_FEATURE/,
  ],
  "starts with more than it may": [
    `(module (memory (export "memory") 60000) ${ENTRY})`,
    /MODULE_MEMORY/,
  ],
};

const PROGRAMS = [...Object.keys(ENDS), ...Object.keys(REFUSED)].map(pathOf);

describe("a program that", { timeout: 120_000 }, () => {
  let keep: TestKeep;
  let owner: KeepClient;

  before(async () => {
    keep = await startTestKeep({
      rights: [{ "/program/": WRITE | EXECUTE, "/in/": READ | WRITE, stdout: READ }],
      programs: Object.fromEntries(
        PROGRAMS.map((path) => [path, { "/in/": READ | WRITE, stdout: WRITE }]),
      ),
      terms: { limits: { output_bytes: 4 * 1024 * 1024 } },
    });
    owner = await keep.client(0);
  });
  after(() => keep.close());

  afterEach(async () => {
    await owner.putFile("/in/x", fromText("still here"));
    assert.equal(
      toText((await readBody((await owner.readFile("/in/x")).body, 100))!),
      "still here",
    );
    assert.equal((await owner.status()).runs?.running, 0);
  });

  for (const [what, [source, state]] of Object.entries(ENDS)) {
    test(`${what} ends: ${state}`, async () => {
      await owner.putFile(pathOf(what), await wat(source));
      const { id } = await owner.startRun(pathOf(what));
      if (state === "cancelled") await owner.cancelRun(id);
      assert.equal((await owner.waitRun(id)).state, state);
    });
  }

  for (const [what, [source, why]] of Object.entries(REFUSED)) {
    test(`${what} is refused`, async () => {
      await owner.putFile(pathOf(what), await wat(source));
      await refused("PROGRAM_INVALID", owner.startRun(pathOf(what)), why);
    });
  }
});

function pathOf(what: string): string {
  return `/program/${what.replaceAll(" ", "-")}.wasm`;
}
