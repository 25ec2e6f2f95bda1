// Runs and the memory there is for them: what does not fit is refused, and the keep goes on.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeepClient } from "@holdfast/contract";
import { fromText, readBody, toText } from "@holdfast/core";
import { ENDLESS, GREEDY, printing, wat } from "./testing/programs.ts";
import { refused } from "./testing/refused.ts";
import { startTestKeep, type TestKeep } from "./testing/test-keep.ts";
import { EXECUTE, READ, WRITE } from "./testing/test-policy.ts";

const PROGRAM_RIGHTS = { "/in/": READ, stdout: WRITE };
/** A program that says itself that it never needs more than a page. */
const MODEST = printing("modest\n").replace(
  '(memory (export "memory") 1)',
  '(memory (export "memory") 1 1)',
);
const PROGRAMS: Readonly<Record<string, string>> = {
  "/program/endless.wasm": ENDLESS,
  "/program/greedy.wasm": GREEDY,
  "/program/modest.wasm": MODEST,
};

async function keepWith(memoryMib: number): Promise<{ keep: TestKeep; owner: KeepClient }> {
  const keep = await startTestKeep({
    rights: [{ "/program/": WRITE | EXECUTE, "/in/": READ | WRITE, stdout: READ }],
    programs: Object.fromEntries(Object.keys(PROGRAMS).map((path) => [path, PROGRAM_RIGHTS])),
    maxMemoryMib: 32,
    terms: { limits: { memory_mib: memoryMib, storage_mib: 8, output_bytes: 1024 * 1024 } },
  });
  const owner = await keep.client(0);
  for (const [path, source] of Object.entries(PROGRAMS))
    await owner.putFile(path, await wat(source));
  return { keep, owner };
}

test("as many programs run at once as there is memory for, counted at their maximum", async () => {
  // Beside the storage of 8, two programs of 32 with 8 of files and 1 of output each, and almost 12 more.
  const { keep, owner } = await keepWith(8 + 2 * 41 + 12);
  try {
    const [first, second] = await Promise.all([
      owner.startRun("/program/endless.wasm"),
      owner.startRun("/program/endless.wasm"),
    ]);
    await refused("RUN_MEMORY", owner.startRun("/program/endless.wasm"), /42 MiB.*11 MiB/);
    await refused("RUN_MEMORY", owner.startRun("/program/greedy.wasm"));
    const { id } = await owner.startRun("/program/modest.wasm");
    assert.equal((await owner.waitRun(id)).exit_code, 0, "one that says it needs less fits");
    await owner.putFile("/in/x", fromText("served meanwhile"));
    assert.equal(
      toText((await readBody((await owner.readFile("/in/x")).body, 100))!),
      "served meanwhile",
    );
    await owner.cancelRun(first.id);
    const greedy = await owner.startRun("/program/greedy.wasm");
    assert.equal((await owner.waitRun(greedy.id)).exit_code, 12);
    await owner.cancelRun(second.id);
    for (let again = 0; again < 20; again += 1) {
      const run = await owner.startRun("/program/greedy.wasm");
      assert.equal((await owner.waitRun(run.id)).exit_code, 12, "what ended gave everything back");
    }
  } finally {
    await keep.close();
  }
});

test("a program that never fits is refused as such", async () => {
  const { keep, owner } = await keepWith(40);
  try {
    await refused("RUN_TOO_LARGE", owner.startRun("/program/endless.wasm"));
    const { id } = await owner.startRun("/program/modest.wasm");
    assert.equal((await owner.waitRun(id)).exit_code, 0);
  } finally {
    await keep.close();
  }
});

test("runs asked for at once do not take the same memory twice", async () => {
  const { keep, owner } = await keepWith(8 + 3 * 42);
  try {
    const asked = await Promise.allSettled(
      Array.from({ length: 7 }, () => owner.startRun("/program/endless.wasm")),
    );
    const codes = asked.map((each) => (each.status === "rejected" ? each.reason.code : "started"));
    assert.equal(codes.filter((code) => code === "started").length, 3, codes.join(" "));
    assert.equal(codes.filter((code) => code === "RUN_MEMORY").length, 4, codes.join(" "));
  } finally {
    await keep.close();
  }
});
