// Keeps that are started ahead of need, as real processes: attested once, nowhere to be reached, told once what they are for.
import assert from "node:assert/strict";
import { once } from "node:events";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { keepClaims } from "@holdfast/channel";
import { parseCertificate } from "@holdfast/core";
import { policyHash } from "@holdfast/policy";
import { startPlatform, startWaitingKeep, type WaitingKeep } from "./testing/real-platform.ts";
import { freePort } from "./testing/test-keep.ts";
import { READ } from "./testing/test-policy.ts";

const PATIENCE_MS = 60_000;
const onLinux = { skip: process.platform === "linux" ? false : "reads /proc" };

describe("a keep that waits for its policy", { timeout: 180_000 }, () => {
  let platform: Awaited<ReturnType<typeof startPlatform>>;
  before(async () => {
    platform = await startPlatform();
  });
  after(() => platform.close());

  const started = (options: Partial<Parameters<typeof startWaitingKeep>[1]> = {}) =>
    startWaitingKeep(platform, { rights: [{ "/in/": READ }], ...options });

  test("serves the policy that it is told, bound into its certificate", async () => {
    const keep = await started();
    const waiting = await keep.waits();
    assert.equal(waiting.measurement, platform.measurement);
    assert.equal(waiting.policy_hash, undefined);
    keep.assign();
    const state = await keep.reaches("serving");
    assert.equal(state.keep_pid, waiting.keep_pid, "another process serves");
    const connection = await keep.connection();
    const claims = keepClaims(parseCertificate(connection.verdict.leaf ?? new Uint8Array()));
    assert.equal(claims.policyHash, await policyHash(keep.policy.text));
    assert.equal(claims.measurement, platform.measurement);
    connection.close();
    // What was logged while it waited is not lost.
    assert.match(readFileSync(keep.logFile, "utf8"), /"waiting".*"assigned".*"serving"/s);
    await ended(keep);
  });

  test("listens nowhere, and has no way out but its loader", onLinux, async () => {
    const keep = await started();
    const { keep_pid: pid } = await keep.waits();
    for (const table of ["tcp", "tcp6", "udp", "udp6"]) {
      const inodes = sockets(table);
      const own = descriptors(pid ?? 0).filter((target) => inodes.has(target));
      assert.deepEqual(own, [], table);
    }
    await ended(keep);
  });

  test("a second assignment is refused: the keep never serves", async () => {
    const keep = await started();
    await keep.waits();
    keep.assign(2);
    const state = await keep.reaches("failed");
    assert.match(state.reason ?? "", /assigned twice/);
    await gone(state.keep_pid);
  });

  test("one that is assigned before it has come to waiting serves as well", async () => {
    const keep = await started();
    keep.assign();
    await keep.reaches("serving");
    await ended(keep);
  });

  test("a policy for another measurement does not get it to serve", async () => {
    const keep = await started({ measurement: "0".repeat(64) });
    await keep.waits();
    keep.assign();
    assert.match(
      (await keep.reaches("failed")).reason ?? "",
      /BOOT_CERTIFICATE.*keep\.measurement/,
    );
  });

  test("one that can't attest never waits, and says why", async () => {
    const port = await freePort();
    const unreachable = await started({
      loader: { attestation_url: `http://127.0.0.1:${port}` },
    });
    assert.match(await failed(unreachable), /BOOT_SERVICE.*ECONNREFUSED/);
    const authority_dir = join(platform.directory, "unknown-authority");
    const unknown = await started({
      loader: { platform: { kind: "simulated-nitro", authority_dir } },
    });
    assert.match(await failed(unknown), /BOOT_REFUSED.*ATTESTATION_REFUSED/);
  });

  test("a bundle that was changed while the keep waited changes nothing for it", async () => {
    const bundle = join(platform.directory, "replaced.mjs");
    copyFileSync(platform.bundle, bundle);
    const keep = await started({ loader: { bundle } });
    await keep.waits();
    appendFileSync(bundle, "// more\n");
    keep.assign();
    assert.equal((await keep.reaches("serving")).measurement, platform.measurement);
    await ended(keep);
  });

  test("ends with its loader when the input ends before it was told anything", async () => {
    const keep = await started();
    const { keep_pid } = await keep.waits();
    keep.loader.stdin?.end();
    await once(keep.loader, "exit");
    await gone(keep_pid);
    assert.match(keep.said()?.reason ?? "", /not assigned/);
  });

  test("ends when it is told to", async () => {
    const keep = await started();
    const { keep_pid } = await keep.waits();
    keep.loader.kill("SIGTERM");
    await once(keep.loader, "exit");
    assert.equal(keep.said()?.state, "ended");
    await gone(keep_pid);
  });

  test("a killed keep takes its loader along", async () => {
    const keep = await started();
    process.kill((await keep.waits()).keep_pid ?? 0, "SIGKILL");
    await once(keep.loader, "exit");
    assert.equal(keep.said()?.exit_code, 137);
  });

  for (const moment of [
    "as soon as it runs",
    "while it waits",
    "once it is told",
    "while it serves",
  ]) {
    test(`a killed loader takes its keep along, ${moment}`, async () => {
      const keep = await started();
      const pid = await spawned(keep);
      if (moment !== "as soon as it runs") await keep.waits();
      if (moment === "once it is told" || moment === "while it serves") keep.assign();
      if (moment === "while it serves") await keep.reaches("serving");
      keep.loader.kill("SIGKILL");
      await gone(pid);
    });
  }
});

describe("a keep whose attestation service speaks TLS", { timeout: 180_000 }, () => {
  let platform: Awaited<ReturnType<typeof startPlatform>>;
  before(async () => {
    platform = await startPlatform({ tls: true });
  });
  after(() => platform.close());

  test("serves when its loader knows the service's authority", async () => {
    const keep = await startWaitingKeep(platform, { rights: [{}] });
    await keep.waits();
    keep.assign();
    await keep.reaches("serving");
    await ended(keep);
  });

  test("does not come to waiting when the service is under no authority that is believed", async () => {
    const loader = { attestation_ca_file: undefined };
    const keep = await startWaitingKeep(platform, { rights: [{}], loader });
    assert.match(await failed(keep), /BOOT_SERVICE.*certificate/);
    const file = join(platform.directory, "none.pem");
    const without = await startWaitingKeep(platform, {
      rights: [{}],
      loader: { attestation_ca_file: file },
    });
    assert.match(await failed(without), /attestation_ca_file can't be read/);
  });
});

async function ended(keep: WaitingKeep): Promise<void> {
  const exited = once(keep.loader, "exit");
  keep.loader.kill("SIGTERM");
  await exited;
}

async function failed(keep: WaitingKeep): Promise<string> {
  await once(keep.loader, "exit");
  assert.equal(keep.said()?.state, "failed");
  return keep.said()?.reason ?? "";
}

async function spawned(keep: WaitingKeep): Promise<number> {
  return await until(() => keep.said()?.keep_pid);
}

async function gone(pid: number | undefined): Promise<void> {
  assert.ok(pid !== undefined);
  await until(() => (isThere(pid) ? undefined : true));
}

async function until<T>(ask: () => T | undefined): Promise<T> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(20)) {
    const answer = ask();
    if (answer !== undefined) return answer;
  }
  throw new Error("it never came");
}

/** One that was killed is not there any more, even while nobody has asked what became of it. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !/\) [ZX] /.test(readFileSync(stat, "utf8"));
}

/** Sockets of a kind on this machine, as descriptors name them. */
function sockets(table: string): Set<string> {
  const path = `/proc/net/${table}`;
  const lines = existsSync(path) ? readFileSync(path, "utf8").trim().split("\n").slice(1) : [];
  return new Set(lines.map((line) => `socket:[${line.trim().split(/\s+/)[9]}]`));
}

function descriptors(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).map((fd) => readlinkSync(join(directory, fd)));
}
