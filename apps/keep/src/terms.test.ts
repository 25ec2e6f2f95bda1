// The policy's terms beyond Veracruz: consent, inputs, limits, reads, shutdown, arguments, dates.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { newIdentity, signConsent } from "@holdfast/channel";
import type { KeepClient, Run } from "@holdfast/contract";
import { fromText, readBody, systemClock, toText } from "@holdfast/core";
import { copying, ENDLESS, printing, wat } from "./testing/programs.ts";
import { refused } from "./testing/refused.ts";
import { startTestKeep, type TestKeep } from "./testing/test-keep.ts";
import { EXECUTE, READ, WRITE } from "./testing/test-policy.ts";

const PROGRAM = "/program/run.wasm";
const OWNER = {
  "/program/": WRITE | EXECUTE,
  "/in/": READ | WRITE,
  "/out/": READ,
  stdout: READ,
  stderr: READ,
  stdin: WRITE,
};
const PROGRAMS = { [PROGRAM]: { "/in/": READ, "/out/": READ | WRITE, stdout: WRITE, stdin: READ } };

describe("consent", () => {
  test("no data before everybody asked has signed the policy hash", () =>
    withKeep({ terms: { consent: [0, 1] } }, async (keep) => {
      const [owner, other] = [await keep.client(0), await keep.client(1)];
      await refused("CONSENT_MISSING", owner.putFile("/in/x", fromText("x")), /0, 1/);
      await refused("CONSENT_MISSING", owner.appendFile("/in/x", fromText("x")));
      await refused("CONSENT_MISSING", owner.startRun(PROGRAM));
      await owner.giveConsent(signConsent(keep.identities[0]!, keep.policyHash));
      await refused("CONSENT_MISSING", owner.putFile("/in/x", fromText("x")), /identities 1 /);
      const consent = await other.giveConsent(signConsent(keep.identities[1]!, keep.policyHash));
      assert.deepEqual(
        consent.given.map(({ identity }) => identity),
        [0, 1],
      );
      await owner.putFile("/in/x", fromText("x"));
    }));

  test("a signature over another policy, by another key, or by somebody not asked is none", () =>
    withKeep({ terms: { consent: [0] } }, async (keep) => {
      const [owner, other] = [await keep.client(0), await keep.client(1)];
      const wrongHash = signConsent(keep.identities[0]!, "0".repeat(64));
      await refused("CONSENT_INVALID", owner.giveConsent(wrongHash));
      const wrongKey = signConsent(keep.identities[1]!, keep.policyHash);
      await refused("CONSENT_INVALID", owner.giveConsent(wrongKey));
      await refused("CONSENT_INVALID", other.giveConsent(wrongKey));
      await refused("CONSENT_MISSING", owner.putFile("/in/x", fromText("x")));
    }));
});

describe("terms of runs", () => {
  test("no run before the required inputs are there", () =>
    withKeep({ terms: { required_inputs: ["/in/key", "/in/iv"] } }, async (keep) => {
      const owner = await keep.client();
      await owner.putFile(PROGRAM, await wat(printing("x")));
      await refused("INPUT_MISSING", owner.startRun(PROGRAM), /\/in\/key, \/in\/iv/);
      await owner.putFile("/in/key", fromText("k"));
      await owner.putFile("/in/iv/not-a-file", fromText("k"));
      await refused("INPUT_MISSING", owner.startRun(PROGRAM), /: \/in\/iv$/);
    }));

  test("no more runs than the policy allows, asked for one by one or at once", () =>
    withKeep({ terms: { limits: { runs: 2 } } }, async (keep) => {
      const owner = await keep.client();
      await owner.putFile(PROGRAM, await wat(printing("x")));
      await refused("PROGRAM_UNKNOWN", owner.startRun("/program/none.wasm"));
      const asked = await Promise.allSettled([1, 2, 3, 4].map(() => owner.startRun(PROGRAM)));
      assert.equal(asked.filter(({ status }) => status === "fulfilled").length, 2);
      await refused("RUN_LIMIT", owner.startRun(PROGRAM));
    }));

  test("a run ends at its wall time", () =>
    withKeep({ terms: { limits: { wall_time_ms: 50 } } }, async (keep) => {
      const run = await ran(await keep.client(), ENDLESS);
      assert.equal(run.state, "limit");
      assert.equal(run.reason, "RUN_WALL_TIME");
    }));

  test("a run ends at its output", () =>
    withKeep({ terms: { limits: { output_bytes: 1000 } } }, async (keep) => {
      const owner = await keep.client();
      const run = await ran(owner, printing("0123456789", { times: 100_000 }));
      assert.equal(run.state, "limit");
      assert.equal(run.reason, "RUN_OUTPUT_LIMIT");
      const output = await readBody(await owner.runStream(run.id, "stdout"), 1_000_000);
      assert.ok(output!.length <= 1000);
    }));

  test("arguments and environment come from the policy alone", () =>
    withKeep(
      {
        terms: {
          programs: [
            { program_file_name: PROGRAM, arguments: ["--fast"], environment: { MODE: "test" } },
          ],
        },
      },
      async (keep) => {
        const owner = await keep.client();
        const run = await ran(owner, LISTING_ARGUMENTS);
        assert.equal(run.exit_code, 0);
        const output = await readBody(await owner.runStream(run.id, "stdout"), 1000);
        assert.equal(toText(output!), `${PROGRAM}\0--fast\0MODE=test\0`);
      },
    ));

  test("a program does not get past a pin", () =>
    withKeep(
      {
        fileHashes: { "/out/y": createHash("sha256").update("pinned").digest("hex") },
        terms: { keep_partial_output: true },
      },
      async (keep) => {
        const owner = await keep.client();
        await owner.putFile("/in/x", fromText("another content"));
        const run = await ran(owner, copying("x", "y"));
        assert.deepEqual([run.state, run.reason], ["failed", "FILE_PIN_MISMATCH"]);
        await refused("FILE_MISSING", owner.readFile("/out/y"));
        await owner.putFile("/in/x", fromText("pinned"));
        assert.equal((await ran(owner, copying("x", "y"))).state, "exited");
        assert.equal((await owner.readFile("/out/y")).size, 6);
      },
    ));

  test("what a trapped run wrote stays when the policy says so", () =>
    withKeep({ terms: { keep_partial_output: true } }, async (keep) => {
      const owner = await keep.client();
      await owner.putFile("/in/x", fromText("partial"));
      assert.equal((await ran(owner, copying("x", "y", "unreachable"))).state, "trapped");
      assert.equal((await owner.readFile("/out/y")).size, 7);
    }));

  test("reading with the clock on changes nothing but what may be changed", () =>
    withKeep({ enableClock: true }, async (keep) => {
      const owner = await keep.client();
      await owner.putFile("/in/x", fromText("timed"));
      const run = await ran(owner, copying("x", "y"));
      assert.deepEqual([run.state, run.exit_code, run.reason], ["exited", 0, undefined]);
      assert.equal((await owner.readFile("/out/y")).size, 5);
    }));

  test("stdin is what was put in last", () =>
    withKeep({}, async (keep) => {
      const owner = await keep.client();
      await owner.putFile("stdin", fromText("a longer text"));
      await owner.putFile("stdin", fromText("given"));
      await owner.appendFile("stdin", fromText(" more"));
      const run = await ran(owner, ECHO);
      const output = await readBody(await owner.runStream(run.id, "stdout"), 1000);
      assert.equal(toText(output!), "given more");
    }));
});

describe("terms of reading and ending", () => {
  const limits = {
    read_limits: [
      { path: "/in/once", times: 1 },
      { path: "/in/his", identities: [1] },
    ],
  };

  test("an output is read as often as the policy says, in parts as in whole", () =>
    withKeep({ terms: limits }, async (keep) => {
      const owner = await keep.client();
      await owner.putFile("/in/once", fromText("read me once"));
      await owner.putFile("/in/./often", fromText("read me often"));
      await refused("FILE_RANGE", owner.readFile("/in/once", { range: "bytes=99-" }));
      const part = await owner.readFile("/in/once", { range: "bytes=0-3" });
      assert.equal(toText((await readBody(part.body, 100))!), "read");
      await refused("READ_LIMIT", owner.readFile("/in//once", { range: "bytes=4-" }));
      await refused("READ_LIMIT", owner.readFile("/in/once"));
      for (let i = 0; i < 3; i += 1) await owner.readFile("/in/often");
    }));

  test("a read counts once a byte of it went out, whole or broken off, and not before", () =>
    withKeep({ terms: limits }, async (keep) => {
      const owner = await keep.client();
      await owner.putFile("/in/once", new Uint8Array(8 * 1024 * 1024));
      const connection = await keep.connection();
      const head = await connection.request({
        method: "HEAD",
        path: "/v1/files",
        query: { path: "/in/once" },
      });
      assert.equal(head.status, 200);
      await refused("FILE_RANGE", owner.readFile("/in/once", { range: "bytes=99999999-" }));
      const { body } = await owner.readFile("/in/once");
      for await (const _ of body) break;
      await refused("READ_LIMIT", owner.readFile("/in/once"));
      await refused("READ_LIMIT", owner.readFile("/in/once", { range: "bytes=0-9" }));
    }));

  test("an output is read by whom the policy says", () =>
    withKeep({ terms: limits }, async (keep) => {
      const [owner, other] = [await keep.client(0), await keep.client(1)];
      await owner.putFile("/in/his", fromText("x"));
      await refused("READ_LIMIT", owner.readFile("/in/his"));
      assert.equal((await other.readFile("/in/his")).size, 1);
    }));

  test("only those named may shut down", () =>
    withKeep({ terms: { shutdown: [1] } }, async (keep) => {
      await refused("SHUTDOWN_REFUSED", (await keep.client(0)).shutdown());
      assert.equal((await (await keep.client(0)).status()).state, "serving");
      await (await keep.client(1)).shutdown();
      assert.equal(await keep.keep.ended, "shut down by identity 1");
    }));

  test("nothing goes in or out when the policy has ended", async () => {
    const identities = await Promise.all(
      ["a", "b"].map((commonName) => newIdentity({ commonName, clock: systemClock, days: 9999 })),
    );
    const expiry = new Date(Date.now() + 60 * 60 * 1000);
    await withKeep({ identities, expiry }, async (keep) => {
      // Clients that look at dates would not even ask.
      const owner = await keep.client(0, new Set(["dates"]));
      await owner.putFile("/in/x", fromText("x"));
      keep.clock.advance(2 * 60 * 60 * 1000);
      await refused("POLICY_EXPIRED", owner.putFile("/in/x", fromText("x")));
      await refused("POLICY_EXPIRED", owner.readFile("/in/x"));
      await refused("POLICY_EXPIRED", owner.list("/in"));
      await refused("POLICY_EXPIRED", owner.startRun(PROGRAM));
      await owner.shutdown();
    });
  });
});

/** Writes arguments and environment to stdout as they lie in memory. */
const LISTING_ARGUMENTS = `(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $env_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $env (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (drop (call $args_sizes (i32.const 0) (i32.const 4)))
    (drop (call $args (i32.const 64) (i32.const 1024)))
    (drop (call $env_sizes (i32.const 8) (i32.const 12)))
    (drop (call $env (i32.const 256) (i32.add (i32.const 1024) (i32.load (i32.const 4)))))
    (i32.store (i32.const 16) (i32.const 1024))
    (i32.store (i32.const 20) (i32.add (i32.load (i32.const 4)) (i32.load (i32.const 12))))
    (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))))`;

/** Copies up to 1000 bytes of stdin to stdout. */
const ECHO = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 1000))
    (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 4)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`;

async function ran(client: KeepClient, source: string): Promise<Run> {
  await client.putFile(PROGRAM, await wat(source));
  return client.waitRun((await client.startRun(PROGRAM)).id);
}

async function withKeep(
  options: Partial<Parameters<typeof startTestKeep>[0]>,
  act: (keep: TestKeep) => Promise<void>,
): Promise<void> {
  const keep = await startTestKeep({
    rights: [OWNER, { "/in/his": READ }],
    programs: PROGRAMS,
    ...options,
  });
  try {
    await act(keep);
  } finally {
    await keep.close();
  }
}
