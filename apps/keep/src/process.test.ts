// The keep as it really runs: a measured bundle in a process of its own, attested by the real attestation service.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { ChannelError, verifyReceipt } from "@holdfast/channel";
import { fromText, readBody, toText } from "@holdfast/core";
import { printing, wat } from "./testing/programs.ts";
import { startPlatform, startRealKeep } from "./testing/real-platform.ts";
import { EXECUTE, READ, WRITE } from "./testing/test-policy.ts";

describe("a keep in its own process", { timeout: 60_000 }, () => {
  let platform: Awaited<ReturnType<typeof startPlatform>>;
  before(async () => {
    platform = await startPlatform();
  });
  after(() => platform.close());

  test("boots, proves itself, takes and gives data, shuts down", async () => {
    const keep = await startRealKeep(platform, {
      rights: [{ "/in/": READ | WRITE, "/program/": WRITE | EXECUTE, stdout: READ }],
      programs: { "/program/hello.wasm": { stdout: WRITE } },
    });
    const state = await keep.reaches("serving");
    assert.equal(state.simulated, true);
    assert.equal(state.measurement, platform.measurement);
    const client = await keep.client();
    const status = await client.status();
    assert.equal(status.platform, "simulated-nitro");
    assert.equal(status.policy_hash, state.policy_hash);
    assert.equal(await client.policy(), keep.policy.text);
    await client.putFile("/in/x", fromText("hello"));
    assert.equal(toText((await readBody((await client.readFile("/in/x")).body, 100))!), "hello");
    await client.putFile("/program/hello.wasm", await wat(printing("hello, world\n")));
    const { id } = await client.startRun("/program/hello.wasm");
    const run = await client.waitRun(id);
    assert.equal(run.exit_code, 0);
    const output = await client.runStream(id, "stdout");
    assert.equal(toText((await readBody(output, 100))!), "hello, world\n");
    const receipt = { receipt: await client.receipt(id), policy: keep.policy };
    assert.equal((await verifyReceipt(receipt)).affirmed, true);
    await client.shutdown();
    const ended = await keep.reaches("ended");
    assert.equal(ended.exit_code, 0);
    assert.match(ended.reason ?? "", /shut down by identity 0/);
    assert.doesNotMatch(readFileSync(keep.logFile, "utf8"), /\/in\/x|hello/);
  });

  test("fails when the policy names another measurement", async () => {
    const keep = await startRealKeep(platform, {
      rights: [{ "/in/": READ }],
      measurement: "0".repeat(64),
    });
    const state = await keep.reaches("failed");
    assert.match(state.reason ?? "", /BOOT_CERTIFICATE.*keep\.measurement/);
    assert.notEqual(state.exit_code, 0);
    await assert.rejects(keep.connection(), ChannelError);
  });
});
