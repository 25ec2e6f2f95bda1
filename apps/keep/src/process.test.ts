// The keep as it really runs: a measured bundle in a process of its own, attested by the real attestation service.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ChannelError, verifyReceipt } from "@holdfast/channel";
import { KeepClient } from "@holdfast/contract";
import {
  equalBytes,
  fromBase64,
  fromPem,
  fromText,
  parseCertificate,
  parseCertificationRequest,
  readBody,
  toHex,
  toText,
  webCrypto,
} from "@holdfast/core";
import { nitroMeasurement, verifyNitro } from "@holdfast/evidence";
import { printing, wat } from "./testing/programs.ts";
import { startPlatform, startRealKeep } from "./testing/real-platform.ts";
import { refused } from "./testing/refused.ts";
import { freePort } from "./testing/test-keep.ts";
import { EXECUTE, READ, WRITE } from "./testing/test-policy.ts";

describe("a keep in its own process", { timeout: 180_000 }, () => {
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
    const serving = readFileSync(keep.logFile, "utf8")
      .split("\n")
      .find((line) => line.includes('"serving"'));
    for (const scope of ["net", "fs.read", "fs.write", "child", "addons", "inspector"]) {
      assert.match(serving ?? "", new RegExp(`"${scope}":false`));
    }
    await client.shutdown();
    const ended = await keep.reaches("ended");
    assert.equal(ended.exit_code, 0);
    assert.match(ended.reason ?? "", /shut down by identity 0/);
    assert.doesNotMatch(readFileSync(keep.logFile, "utf8"), /\/in\/x|hello/);
  });

  test("fresh evidence over a nonce, bound to the key of the connection", async () => {
    const keep = await startRealKeep(platform, { rights: [{}] });
    await keep.reaches("serving");
    const connection = await keep.connection();
    const client = new KeepClient(connection);
    const nonce = new Uint8Array(randomBytes(32));
    const answer = await client.evidence(toHex(nonce));
    const csr = fromBase64(answer.csr);
    const [root] = fromPem(
      "CERTIFICATE",
      readFileSync(join(platform.directory, "authority/root.pem"), "utf8"),
    );
    const request = {
      anchors: [parseCertificate(root!)],
      at: new Date(),
      crypto: webCrypto,
      nonce,
      userData: new Uint8Array(createHash("sha256").update(csr).digest()),
      pcrs: "waived" as const,
    };
    const appraisal = await verifyNitro(fromBase64(answer.evidence), request);
    const failed = appraisal.checks.filter(({ outcome }) => outcome === "failed");
    assert.deepEqual(failed, []);
    assert.equal(nitroMeasurement(appraisal.claims!), platform.measurement);
    const leaf = parseCertificate(connection.verdict.leaf!);
    assert.ok(equalBytes(parseCertificationRequest(csr).spki, leaf.spki));
    for (const nonce of ["", "00", "0".repeat(31), "x".repeat(64), "0".repeat(130)]) {
      await refused("REQUEST_INVALID", client.evidence(nonce));
    }
    connection.close();
    keep.loader.kill("SIGTERM");
    const ended = await keep.reaches("ended");
    assert.equal(ended.reason, "SIGTERM");
  });

  test("leaves it nothing of the machine: no environment, no core dumps", {
    skip: process.platform === "linux" ? false : "reads /proc",
  }, async () => {
    const keep = await startRealKeep(platform, { rights: [{}] });
    const { keep_pid } = await keep.reaches("serving");
    assert.equal(readFileSync(`/proc/${keep_pid}/environ`, "utf8"), "");
    assert.match(readFileSync(`/proc/${keep_pid}/limits`, "utf8"), /core file size +0 +0 /);
    assert.doesNotMatch(readFileSync(`/proc/${keep_pid}/cmdline`, "utf8"), /PRIVATE|CERTIFICATE/);
    keep.loader.kill("SIGTERM");
    await keep.reaches("ended");
  });

  test("a client that is killed in the middle of an upload leaves nothing", async () => {
    const keep = await startRealKeep(platform, { rights: [{ "/in/": READ | WRITE }] });
    await keep.reaches("serving");
    const connection = await keep.connection();
    const client = new KeepClient(connection);
    const script = join(import.meta.dirname, "testing/endless-client.ts");
    const child = spawn(process.execPath, [script], { stdio: ["pipe", "ignore", "inherit"] });
    const given = { policy: keep.policy.text, identity: keep.identities[0], path: "/in/x" };
    child.stdin.end(JSON.stringify(given));
    const used = async (): Promise<number> => (await client.status()).storage?.used_bytes ?? -1;
    while ((await used()) < 300_000);
    child.kill("SIGKILL");
    while ((await used()) !== 0);
    await refused("FILE_MISSING", client.readFile("/in/x"));
    connection.close();
    keep.loader.kill("SIGTERM");
    await keep.reaches("ended");
  });

  test("a keep that is killed is told as failed, and one whose loader is killed ends", async () => {
    const first = await startRealKeep(platform, { rights: [{}] });
    process.kill((await first.reaches("serving")).keep_pid!, "SIGKILL");
    const state = await first.reaches("failed");
    assert.equal(state.exit_code, 137);
    const second = await startRealKeep(platform, { rights: [{}] });
    const { keep_pid } = await second.reaches("serving");
    second.loader.kill("SIGKILL");
    await gone(keep_pid!);
  });

  test("a loader that is told to end before its keep serves says so", async () => {
    const keep = await startRealKeep(platform, { rights: [{}] });
    await keep.reaches("starting", "attested", "serving");
    keep.loader.kill("SIGTERM");
    assert.equal((await keep.reaches("ended")).reason, "SIGTERM");
  });

  test("a bundle with one byte more is not certified", async () => {
    const bundle = join(platform.directory, "changed.mjs");
    writeFileSync(bundle, `${readFileSync(platform.bundle, "utf8")}\n`);
    const keep = await startRealKeep(platform, { rights: [{}], loader: { bundle } });
    const state = await keep.reaches("failed");
    assert.match(state.reason ?? "", /BOOT_CERTIFICATE.*keep\.measurement/);
    assert.notEqual(state.measurement, platform.measurement);
  });

  test("evidence under a root that the service does not know is refused", async () => {
    const authority_dir = join(platform.directory, "other-authority");
    const keep = await startRealKeep(platform, {
      rights: [{}],
      loader: { platform: { kind: "simulated-nitro", authority_dir } },
    });
    assert.match((await keep.reaches("failed")).reason ?? "", /BOOT_REFUSED.*ATTESTATION_REFUSED/);
  });

  test("no attestation service, a policy at fault, no bundle: each says why", async () => {
    const port = await freePort();
    const unreachable = await startRealKeep(platform, {
      rights: [{}],
      attestationUrl: `127.0.0.1:${port}`,
      loader: { attestation_url: `http://127.0.0.1:${port}` },
    });
    assert.match((await unreachable.reaches("failed")).reason ?? "", /BOOT_SERVICE.*ECONNREFUSED/);
    const broken = await startRealKeep(platform, { rights: [{}], assignment: { policy: "{}" } });
    assert.match((await broken.reaches("failed")).reason ?? "", /BOOT_POLICY/);
    const bundle = join(platform.directory, "none.mjs");
    const missing = await startRealKeep(platform, { rights: [{}], loader: { bundle } });
    assert.match((await missing.reaches("failed")).reason ?? "", /bundle can't be read/);
  });

  test("a port that is taken is told", async () => {
    const first = await startRealKeep(platform, { rights: [{}] });
    const { listen } = await first.reaches("serving");
    const second = await startRealKeep(platform, { rights: [{}], assignment: { listen } });
    assert.match((await second.reaches("failed")).reason ?? "", /BOOT_LISTEN/);
    first.loader.kill("SIGTERM");
    await first.reaches("ended");
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

async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await pause(20);
  }
}
