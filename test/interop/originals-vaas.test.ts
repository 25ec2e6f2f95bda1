// Row by row: our VaaS, and the original where it was fetched.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { newIdentities } from "../../apps/control/src/testing/samples.ts";
import { vaasCalls } from "../../apps/control/src/testing/vaas-calls.ts";
import { makeWorld, type World } from "../../apps/control/src/testing/world.ts";
import { freePorts } from "../e2e/free-ports.ts";
import { type Kubernetes, startKubernetes } from "../peers/kubernetes.ts";
import { type Original, skipWithoutOriginals, startOriginal } from "../peers/originals.ts";
import { testRows } from "./originals/test-rows.ts";
import { VAAS_ROWS, type VaasSide } from "./originals/vaas-rows.ts";

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
