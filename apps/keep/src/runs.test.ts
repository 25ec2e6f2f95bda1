// Programs: who may start them, how they end, what they leave, and that nothing they do harms the keep.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { Worker } from "node:worker_threads";
import { verifyReceipt } from "@holdfast/channel";
import type { KeepClient, Run } from "@holdfast/contract";
import { fromText, readBody, toText } from "@holdfast/core";
import { createSourceWorker } from "@holdfast/wasi";
import {
  copying,
  ENDLESS,
  GREEDY,
  printing,
  RECURSING,
  TRAPPING,
  wat,
} from "./testing/programs.ts";
import { refused } from "./testing/refused.ts";
import { startTestKeep, type TestKeep } from "./testing/test-keep.ts";
import { EXECUTE, READ, WRITE } from "./testing/test-policy.ts";

/** Some hundred milliseconds of nothing. */
const LATER = `(i32.store (i32.const 0) (i32.const 100000000))
  (loop $again
    (i32.store (i32.const 0) (i32.sub (i32.load (i32.const 0)) (i32.const 1)))
    (br_if $again (i32.load (i32.const 0))))
  (call $proc_exit (i32.const 0))`;

const PROGRAMS: Readonly<Record<string, string>> = {
  "/program/hello.wasm": printing("hello\n"),
  "/program/short.wasm": printing("2nd\n"),
  "/program/fails.wasm": printing("no\n", { fd: 2, exit: 3 }),
  "/program/endless.wasm": ENDLESS,
  "/program/traps.wasm": TRAPPING,
  "/program/recurses.wasm": RECURSING,
  "/program/greedy.wasm": GREEDY,
  "/program/copies.wasm": copying("x", "y"),
  "/program/copies-traps.wasm": copying("x", "z", "unreachable"),
  "/program/copies-hangs.wasm": copying("x", "hung", "(loop $again (br $again))"),
  "/program/copies-later.wasm": copying("x", "late", LATER),
  "/program/chatty.wasm": printing("0123456789abcdef", { times: 100_000 }),
};
const PROGRAM_RIGHTS = { "/in/": READ, "/out/": READ | WRITE, stdout: WRITE, stderr: WRITE };

describe("runs", { timeout: 60_000 }, () => {
  let keep: TestKeep;
  let owner: KeepClient;
  let other: KeepClient;
  const workers: Worker[] = [];

  before(async () => {
    keep = await startTestKeep({
      createWorker() {
        const worker = createSourceWorker();
        workers.push(worker);
        return worker;
      },
      rights: [
        {
          "/program/": WRITE | EXECUTE,
          "/in/": READ | WRITE,
          "/out/": READ,
          stdout: READ,
          stderr: READ,
        },
        { "/in/": WRITE, "/program/data": WRITE },
      ],
      programs: {
        ...Object.fromEntries(Object.keys(PROGRAMS).map((path) => [path, PROGRAM_RIGHTS])),
        "/program/text.wasm": PROGRAM_RIGHTS,
        "/program/plain": PROGRAM_RIGHTS,
      },
    });
    owner = await keep.client(0);
    other = await keep.client(1);
    for (const [path, source] of Object.entries(PROGRAMS)) {
      await owner.putFile(path, await wat(source));
    }
  });

  after(() => keep.close());

  test("a program runs, and its output is per run", async () => {
    const first = await run(owner, "/program/hello.wasm");
    assert.equal(first.state, "exited");
    assert.equal(first.exit_code, 0);
    assert.equal(await outputOf(owner, first.id), "hello\n");
    const second = await run(owner, "/program/short.wasm");
    assert.equal(await outputOf(owner, second.id), "2nd\n");
    assert.equal(await outputOf(owner, first.id), "hello\n");
    assert.equal(await fileOf(owner, "stdout"), "2nd\n");
  });

  test("the exit code and stderr are told", async () => {
    const { id, state, exit_code } = await run(owner, "/program/fails.wasm");
    assert.equal(state, "exited");
    assert.equal(exit_code, 3);
    assert.equal(await outputOf(owner, id, "stderr"), "no\n");
  });

  test("what it wrote stands after it ended", async () => {
    await owner.putFile("/in/x", fromText("to be copied"));
    const { exit_code } = await run(owner, "/program/copies.wasm");
    assert.equal(exit_code, 0);
    assert.equal(await fileOf(owner, "/out/y"), "to be copied");
  });

  test("a trap is told with its function, and what the program wrote is gone", async () => {
    const { state, trap } = await run(owner, "/program/traps.wasm");
    assert.equal(state, "trapped");
    assert.match(trap?.message ?? "", /unreachable/);
    assert.equal(trap?.function, "deep_inside");
    await owner.putFile("/in/x", fromText("to be copied"));
    assert.equal((await run(owner, "/program/copies-traps.wasm")).state, "trapped");
    await refused("FILE_MISSING", owner.readFile("/out/z"));
  });

  test("a run sees the files as they were when it started", async () => {
    await owner.putFile("/in/x", fromText("when it started"));
    const { id } = await owner.startRun("/program/copies-later.wasm");
    await owner.putFile("/in/x", fromText("put in while it runs"));
    assert.equal((await owner.waitRun(id)).exit_code, 0);
    assert.equal(await fileOf(owner, "/out/late"), "when it started");
    assert.equal(await fileOf(owner, "/in/x"), "put in while it runs");
  });

  test("a worker that dies in the middle of a run takes the run along, and nothing else", async () => {
    await owner.putFile("/in/x", fromText("to be copied"));
    const { id } = await owner.startRun("/program/copies-hangs.wasm");
    await owner.putFile("/in/during", fromText("served meanwhile"));
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
    const { state } = await owner.waitRun(id);
    assert.equal(state, "failed");
    await refused("FILE_MISSING", owner.readFile("/out/hung"));
    assert.equal((await run(owner, "/program/hello.wasm")).exit_code, 0);
    const receipt = { receipt: await owner.receipt(id), policy: keep.policy };
    assert.equal((await verifyReceipt(receipt)).claims.state, "failed");
  });

  test("several programs run at once, and others are served meanwhile", async () => {
    const endless = await Promise.all([0, 1].map(() => owner.startRun("/program/endless.wasm")));
    const { exit_code } = await run(owner, "/program/hello.wasm");
    assert.equal(exit_code, 0);
    for (const { id } of endless) assert.equal((await owner.cancelRun(id)).state, "cancelled");
  });

  test("an endless loop, a used up stack, used up memory leave the keep alive", async () => {
    const { id } = await owner.startRun("/program/endless.wasm");
    assert.equal((await owner.cancelRun(id)).state, "cancelled");
    assert.equal((await run(owner, "/program/recurses.wasm")).state, "trapped");
    const greedy = await run(owner, "/program/greedy.wasm");
    assert.equal(greedy.exit_code, 12);
    assert.ok((greedy.peak_memory_bytes ?? 0) <= 64 * 1024 * 1024);
    assert.equal((await run(owner, "/program/hello.wasm")).exit_code, 0);
  });

  test("what is no program is refused", async () => {
    await owner.putFile("/program/text.wasm", fromText("not a program"));
    await refused("PROGRAM_INVALID", owner.startRun("/program/text.wasm"), /MODULE_/);
    await refused("FILE_MISSING", owner.startRun("/program/plain"));
    await refused("PROGRAM_UNKNOWN", owner.startRun("/program/other.wasm"));
    await refused("REQUEST_INVALID", owner.startRun("/in/../program/hello.wasm"), /PATH_ESCAPE/);
  });

  test("running needs the execute right, whatever the program is called", async () => {
    await refused("RIGHTS_MISSING", other.startRun("/program/hello.wasm"), /execute/);
    await refused("RIGHTS_MISSING", other.startRun("/program/plain"), /execute/);
    await refused("RIGHTS_MISSING", other.startRun("/program/data"), /execute/);
  });

  test("a run is nobody's but theirs who may run it or read of it", async () => {
    const { id } = await run(owner, "/program/hello.wasm");
    await refused("RUN_MISSING", other.waitRun(id));
    await refused("RUN_MISSING", other.runStream(id, "stdout"));
    await refused("RUN_MISSING", other.cancelRun(id));
    await refused("RUN_MISSING", other.receipt(id));
    assert.deepEqual(await other.runs(), []);
    assert.equal((await owner.runs())[0]?.id, id);
  });

  test("output can be followed while it comes", async () => {
    const { id } = await owner.startRun("/program/chatty.wasm");
    const hash = createHash("sha256");
    for await (const part of await owner.runStream(id, "stdout", { follow: true })) {
      hash.update(part);
    }
    const whole = createHash("sha256").update("0123456789abcdef".repeat(100_000));
    assert.equal(hash.digest("hex"), whole.digest("hex"));
    assert.equal((await owner.waitRun(id)).state, "exited");
  });

  test("the receipt of a run can be verified without the keep", async () => {
    await owner.putFile("/in/x", fromText("to be copied"));
    const { id } = await run(owner, "/program/copies.wasm");
    const receipt = await owner.receipt(id);
    const verdict = await verifyReceipt({ receipt, policy: keep.policy });
    assert.equal(verdict.affirmed, true, JSON.stringify(verdict.checks));
    const digest = createHash("sha256").update("to be copied").digest("hex");
    assert.deepEqual(verdict.claims.inputs, [{ path: "/in/x", size: 12, sha256: digest }]);
    assert.deepEqual(verdict.claims.outputs, [{ path: "/out/y", size: 12, sha256: digest }]);
    assert.equal(verdict.claims.exit_code, 0);
    const [head, payload, signature] = receipt.split(".");
    const forged = Buffer.from(payload!, "base64url")
      .toString()
      .replace('"exit_code":0', '"exit_code":1');
    const other = [head, Buffer.from(forged).toString("base64url"), signature].join(".");
    assert.equal((await verifyReceipt({ receipt: other, policy: keep.policy })).affirmed, false);
  });

  test("an unfinished run has no receipt yet", async () => {
    const { id } = await owner.startRun("/program/endless.wasm");
    await refused("RUN_NOT_ENDED", owner.receipt(id));
    await owner.cancelRun(id);
    assert.equal(
      (await verifyReceipt({ receipt: await owner.receipt(id), policy: keep.policy })).affirmed,
      true,
    );
  });
});

async function run(client: KeepClient, program: string): Promise<Run> {
  const { id } = await client.startRun(program);
  return client.waitRun(id);
}

async function outputOf(
  client: KeepClient,
  id: string,
  stream: "stdout" | "stderr" = "stdout",
): Promise<string> {
  return toText((await readBody(await client.runStream(id, stream), 1 << 20))!);
}

async function fileOf(client: KeepClient, path: string): Promise<string> {
  return toText((await readBody((await client.readFile(path)).body, 1 << 20))!);
}
