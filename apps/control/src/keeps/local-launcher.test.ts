// Keeps as processes: started, looked at, found again, ended, whatever they do.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { composeFullPolicy } from "@holdfast/policy";
import type { ProcessRecord } from "@holdfast/store";
import { type ConfigFile, parseConfig } from "../config.ts";
import { eventually, newIdentities } from "../testing/samples.ts";
import { freePorts, makeWorld, type World } from "../testing/world.ts";
import type { KeepHandle } from "./keep-launcher.ts";
import { LocalLauncher } from "./local-launcher.ts";
import { isRunning, processMark } from "./process-mark.ts";

/** The real one. */
const LOADER = join(import.meta.dirname, "../../../keep/src/loader/main.ts");

describe("keeps as local processes", { concurrency: false }, () => {
  let world: World;
  let launcher: LocalLauncher;
  const open: KeepHandle[] = [];

  before(async () => {
    world = await makeWorld();
    launcher = newLauncher();
  });
  after(async () => {
    for (const handle of open) await launcher.end(handle);
    launcher.close();
    await world.close();
  });

  function newLauncher(change: Partial<ConfigFile["keeps"]> = {}): LocalLauncher {
    const config = { ...world.config, keeps: { ...world.config.keeps, ...change } };
    const { keeps } = parseConfig(config, world.directory);
    assert.ok(keeps);
    const directory = join(world.directory, "keeps");
    return new LocalLauncher({
      node: "test",
      config: keeps,
      attestation: { url: world.authority.url },
      directory,
      cache: join(world.directory, "cache"),
    });
  }

  async function start(from = launcher): Promise<KeepHandle & { loader: ProcessRecord }> {
    const id = randomUUID();
    const [port = 0] = await freePorts(1);
    let loader: ProcessRecord | undefined;
    const measurement = await from.measurement();
    const spec = { id, port, policy: await policyText(port), measurement };
    await from.start(spec, async (record) => {
      loader = record;
    });
    assert.ok(loader);
    open.push({ id, loader });
    return { id, loader };
  }

  async function policyText(port: number): Promise<string> {
    const { user } = await newIdentities();
    return composeFullPolicy(
      {
        ciphersuite: "TLS1_3_AES_128_GCM_SHA256",
        debug: false,
        enable_clock: false,
        execution_strategy: "JIT",
        max_memory_mib: 1,
        programs: [],
        identities: [{ certificate: user.certificatePem, file_rights: [], id: 0 }],
      },
      {
        serverUrl: `127.0.0.1:${port}`,
        attestationUrl: "127.0.0.1:3010",
        attestationCertificatePem: world.authority.certificatePem,
        nitroMeasurement: await launcher.measurement(),
        now: new Date(),
      },
    );
  }

  it("starts a keep, which another launcher finds again and ends", async () => {
    world.setFaults({});
    const handle = await start();
    const report = await eventually(
      () => launcher.look(handle),
      ({ state }) => state === "serving",
    );
    assert.equal(report.alive, true);
    assert.equal(report.simulated, true);
    assert.equal(report.measurement, await launcher.measurement());
    const another = newLauncher();
    assert.deepEqual(await another.remains(), [handle.id]);
    assert.equal((await another.look(handle)).state, "serving");
    await another.end(handle);
    assert.equal(await isRunning(handle.loader), false);
    assert.equal((await launcher.look(handle)).alive, false);
    await another.end(handle);
    await another.forget(handle.id);
    assert.deepEqual(await another.remains(), []);
  });

  it("tells why a keep failed", async () => {
    world.setFaults({ fail: "no evidence" });
    const handle = await start();
    const report = await eventually(
      () => launcher.look(handle),
      ({ alive }) => !alive,
    );
    assert.equal(`${report.state} ${report.reason}`, "failed no evidence");
  });

  it("has a loader ask the module of a real enclave, and tells when there is none", async () => {
    const device = join(world.directory, "nsm");
    const pcr0 = "ab".repeat(48);
    const enclave = newLauncher({ platform: { kind: "aws-nitro", device, pcr0 }, loader: LOADER });
    assert.equal(await enclave.measurement(), "ab".repeat(32));
    const handle = await start(enclave);
    const report = await eventually(
      () => enclave.look(handle),
      ({ alive }) => !alive,
    );
    assert.deepEqual(
      [report.state, report.platform, report.simulated],
      ["failed", "aws-nitro", false],
    );
    assert.match(report.reason ?? "", new RegExp(device));
  });

  it("sees that a loader vanished", async () => {
    world.setFaults({ vanish: true });
    const handle = await start();
    const report = await eventually(
      () => launcher.look(handle),
      ({ alive }) => !alive,
    );
    assert.equal(report.state, "silent");
  });

  it("kills what does not end when it is told to", async () => {
    world.setFaults({ endDelayMs: 60_000 });
    const handle = await start();
    await eventually(
      () => launcher.look(handle),
      ({ state }) => state === "serving",
    );
    await launcher.end(handle);
    assert.equal(await isRunning(handle.loader), false);
  });

  it("starts nothing when the record can't be made", async () => {
    let pid = 0;
    const [port = 0] = await freePorts(1);
    const measurement = await launcher.measurement();
    const spec = { id: randomUUID(), port, policy: await policyText(port), measurement };
    const failing = launcher.start(spec, async (loader) => {
      pid = loader.pid;
      throw new Error("no record");
    });
    await assert.rejects(failing, /no record/);
    await eventually(
      () => processMark(pid),
      (mark) => mark === undefined,
    );
    assert.equal((await launcher.look({ id: spec.id })).state, "silent");
  });

  it("does not take a later process of the same number for its own", async () => {
    const mark = await processMark(process.pid);
    assert.ok(mark);
    assert.equal(await isRunning({ pid: process.pid, mark }), true);
    assert.equal(await isRunning({ pid: process.pid, mark: "another" }), false);
    await launcher.end({ id: randomUUID(), loader: { pid: process.pid, mark: "another" } });
  });
});
