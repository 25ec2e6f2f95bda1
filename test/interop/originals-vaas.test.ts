// Row by row: our VaaS, and the original where it was fetched.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { VeracruzCreated } from "@holdfast/contract";
import { call } from "../../apps/control/src/testing/call.ts";
import { newIdentities } from "../../apps/control/src/testing/samples.ts";
import { vaasCalls } from "../../apps/control/src/testing/vaas-calls.ts";
import { makeWorld, type World } from "../../apps/control/src/testing/world.ts";
import { freePorts } from "../e2e/free-ports.ts";
import { startFaultProxy } from "../peers/fault-proxy.ts";
import { type Kubernetes, startKubernetes } from "../peers/kubernetes.ts";
import {
  copyOriginal,
  type Original,
  runOriginal,
  skipWithoutOriginals,
  startOriginal,
} from "../peers/originals.ts";
import { testRows } from "./originals/test-rows.ts";
import type { VaasSide } from "./originals/vaas-asks.ts";
import { VAAS_ROWS } from "./originals/vaas-rows.ts";

describe("our VaaS", { concurrency: false }, () => {
  let world: World;
  let side: VaasSide;
  before(async () => {
    world = await makeWorld({ keepPorts: 2 });
    await world.start();
    side = {
      isOurs: true,
      url: world.vaasUrl,
      body: vaasCalls(world, (await newIdentities()).user).body,
      failKeeps: (fail) => world.setFaults(fail ? { fail: "told to" } : {}),
      cleanUp: () => undefined,
      made: new Map(),
    };
  });
  after(() => world?.close());
  testRows(VAAS_ROWS, () => side);

  it("works with vaas-check.sh and vaas-delete.sh", { skip: skipWithoutOriginals() }, async () => {
    const answer = await call("POST", `${world.vaasUrl}/veracruz`, { json: side.body() });
    const { instance_hash: hash } = JSON.parse(answer.text) as VeracruzCreated;
    const [name = ""] = Object.keys((await world.vaas.list()).veracruz[0] ?? {});
    // They know no other port than 5000: an address of this machine that has it free.
    const address = `127.${1 + (process.pid % 200)}.0.7`;
    const { hostname, port } = new URL(world.vaasUrl);
    const relay = await startFaultProxy(
      { host: hostname, port: Number(port) },
      { host: address, port: 5000 },
    );
    try {
      const script = (...argv: string[]): ReturnType<typeof runOriginal> =>
        runOriginal(copyOriginal("test", join(world.directory, "scripts")), argv);
      const check = await script("./vaas-check.sh", address);
      const entry = { instance_hash: hash, instance_id: "instance1", status: "OK" };
      assert.deepEqual(JSON.parse(check.output), { veracruz: [{ [name]: entry }] });
      // It shows no sentence, only JSON.
      const removal = await script("./vaas-delete.sh", address, name, hash, "instance1");
      assert.equal(removal.code, 0, removal.output);
      assert.deepEqual((await world.vaas.list()).veracruz, []);
    } finally {
      await relay.close();
    }
  });
});

describe("the original VaaS", { concurrency: false, skip: skipWithoutOriginals() }, () => {
  let directory: string;
  let kubernetes: Kubernetes;
  let vaas: Original;
  let side: VaasSide;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "holdfast-original-"));
    kubernetes = await startKubernetes();
    const config = join(directory, "kube.json");
    kubernetes.writeConfig(config);
    const [port = 0] = await freePorts(1);
    vaas = await startOriginal("vaas", {
      directory: join(directory, "vaas"),
      port,
      environment: {
        KUBECONFIG: config,
        PROXY_ENDPOINT: "veracruz-nitro-proxy:3010",
        PROXY_CERTIFICATE: "certificate",
        RUNTIME_MANAGER_HASH_NITRO: "ab".repeat(32),
        RUNTIME_MANAGER_IMAGE: "image",
        RUNTIME_POD_SIZE: "500",
        RUNTIME_CPU_SIZE: "1000",
        VERACRUZ_PORT_MIN: "3014",
        VERACRUZ_PORT_MAX: "3015",
        VERACRUZ_ENDPOINT_HOSTNAME: "127.0.0.1",
      },
    });
    const { user } = await newIdentities();
    side = {
      isOurs: false,
      url: vaas.url,
      body: vaasCalls({} as World, user).body,
      failKeeps: (fail) => kubernetes.refuse(fail ? "POST pods" : undefined),
      cleanUp: () => kubernetes.cleanUp(),
      made: new Map(),
    };
  });
  after(async () => {
    await vaas?.close();
    await kubernetes?.close();
    rmSync(directory, { recursive: true, force: true });
  });
  testRows(VAAS_ROWS, () => side);
});
