// A large program is admitted in a thread of its own: however long that takes, the keep has others to answer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { fromText, readBody, toText } from "@holdfast/core";
import { ADMISSION_ENTRY, createSourceAdmission } from "@holdfast/wasi";
import { printing, wat } from "./testing/programs.ts";
import { refused } from "./testing/refused.ts";
import { startTestKeep } from "./testing/test-keep.ts";
import { EXECUTE, READ, WRITE } from "./testing/test-policy.ts";

const PROGRAM = "/program/large.wasm";

/** Admission threads that do not begin before they are let. */
function gate(): { createAdmission: () => Worker; open(): void } {
  const closed = new Int32Array(new SharedArrayBuffer(4));
  const source = `
    const { workerData } = require("node:worker_threads");
    Atomics.wait(workerData, 0, 0);
    import(${JSON.stringify(ADMISSION_ENTRY)});`;
  return {
    createAdmission: () => new Worker(source, { eval: true, workerData: closed }),
    open() {
      Atomics.store(closed, 0, 1);
      Atomics.notify(closed, 0);
    },
  };
}

/** A sound program, or one with a byte too many behind it, larger than what is admitted at once. */
async function large(end: readonly number[] = []): Promise<Uint8Array> {
  const padding = Buffer.alloc(100_000);
  const head = [0, 0xa4, 0x8d, 0x06, 3, 0x70, 0x61, 0x64];
  return Buffer.concat([
    await wat(printing("large\n")),
    Uint8Array.from(head),
    padding,
    Uint8Array.from(end),
  ]);
}

async function startKeep(createAdmission?: () => Worker) {
  const keep = await startTestKeep({
    rights: [{ "/program/": WRITE | EXECUTE, "/in/": READ | WRITE, stdout: READ }],
    programs: { [PROGRAM]: { stdout: WRITE } },
    ...(createAdmission === undefined ? {} : { createAdmission }),
  });
  return { keep, owner: await keep.client(0) };
}

test("the keep serves while a program is being admitted", async () => {
  const { createAdmission, open } = gate();
  const { keep, owner } = await startKeep(createAdmission);
  try {
    await owner.putFile(PROGRAM, await large());
    let started = false;
    const run = owner.startRun(PROGRAM).finally(() => {
      started = true;
    });
    assert.equal((await owner.status()).policy_hash, keep.policyHash);
    await owner.putFile("/in/x", fromText("served meanwhile"));
    const { body } = await owner.readFile("/in/x");
    assert.equal(toText((await readBody(body, 100)) ?? new Uint8Array()), "served meanwhile");
    assert.equal(started, false, "nothing runs before it was admitted");
    open();
    assert.equal((await owner.waitRun((await run).id)).exit_code, 0);
  } finally {
    open();
    await keep.close();
  }
});

test("a program runs on the files that are there once it was admitted", async () => {
  const { createAdmission, open } = gate();
  const { keep, owner } = await startKeep(createAdmission);
  try {
    await owner.putFile(PROGRAM, await large());
    const run = owner.startRun(PROGRAM);
    run.catch(() => undefined);
    // Answered after the request to run was heard, on the same connection or another.
    await owner.status();
    await owner.putFile(PROGRAM, await wat(printing("another\n")));
    open();
    const { id } = await run;
    assert.equal((await owner.waitRun(id)).exit_code, 0);
    const { body } = await owner.readFile("stdout");
    assert.equal(toText((await readBody(body, 100)) ?? new Uint8Array()), "another\n");
  } finally {
    open();
    await keep.close();
  }
});

test("a large program that is none is refused as a small one is", async () => {
  const { keep, owner } = await startKeep();
  try {
    await owner.putFile(PROGRAM, await large([1]));
    await refused("PROGRAM_INVALID", owner.startRun(PROGRAM), /MODULE_MALFORMED: .*in the middle/);
  } finally {
    await keep.close();
  }
});

test("a machine without a thread for it refuses for now, not for good", async () => {
  let isShort = true;
  const { keep, owner } = await startKeep(() => {
    if (isShort) throw new Error("no threads left");
    return createSourceAdmission();
  });
  try {
    await owner.putFile(PROGRAM, await large());
    await refused("RUN_MEMORY", owner.startRun(PROGRAM));
    isShort = false;
    const { id } = await owner.startRun(PROGRAM);
    assert.equal((await owner.waitRun(id)).exit_code, 0);
  } finally {
    await keep.close();
  }
});

test("a keep that ends does not wait for an admission", async () => {
  const { createAdmission, open } = gate();
  const { keep, owner } = await startKeep(createAdmission);
  try {
    await owner.putFile(PROGRAM, await large());
    const run = owner.startRun(PROGRAM);
    run.catch(() => undefined);
    await keep.close();
    await assert.rejects(run);
  } finally {
    open();
  }
});
