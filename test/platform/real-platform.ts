// The whole platform on loopback, nothing of it small or stood in for: the attestation service, the control plane, and
// keeps from the real bundle under the real loader. Only the machine below them is SIMULATED.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openSimulatedAuthority } from "@holdfast/attester";
import { systemClock } from "@holdfast/core";
import type { ConfigFile } from "../../apps/control/src/config.ts";
import { freePorts, makeWorld, type World } from "../../apps/control/src/testing/world.ts";
import { buildKeepBundle } from "../../tools/build-keep.ts";

/** A running platform. */
export interface RealPlatform {
  readonly world: World;
  /** The control plane's process. */
  readonly control: ChildProcess;
  readonly trust: ChildProcess;
  close(): Promise<void>;
}

const ROOT = resolve(import.meta.dirname, "../..");

/** Starts everything; the control plane is a process of its own. */
export async function startRealPlatform(
  change: {
    s3?: Partial<NonNullable<ConfigFile["s3"]>>;
    limits?: ConfigFile["limits"];
    keeps?: Partial<NonNullable<ConfigFile["keeps"]>>;
    /** What is started as the control plane: its source, or what was built of it. */
    main?: string;
  } = {},
): Promise<RealPlatform> {
  const [trustPort = 0] = await freePorts(1);
  const world = await makeWorld({
    ...change,
    attestationUrl: `http://127.0.0.1:${trustPort}`,
    keeps: { loader: join(ROOT, "apps/keep/src/loader/main.ts"), ...change.keeps },
  });
  const { keeps } = world.config;
  if (keeps === undefined) throw new Error("no keeps configured");
  writeFileSync(keeps.bundle, await buildKeepBundle());
  await openSimulatedAuthority(world.authorityDirectory, systemClock);
  const trust = await startTrust(world.directory, trustPort, world.authorityDirectory);
  const control = await world.spawn();
  return {
    world,
    control,
    trust,
    async close() {
      await world.close();
      const exited = once(trust, "exit");
      trust.kill("SIGKILL");
      await exited;
    },
  };
}

async function startTrust(
  directory: string,
  port: number,
  authorityDirectory: string,
): Promise<ChildProcess> {
  const dataDirectory = join(directory, "trust");
  mkdirSync(dataDirectory);
  const config = join(directory, "trust.json");
  writeFileSync(
    config,
    JSON.stringify({
      listen: { host: "127.0.0.1", port },
      data_dir: dataDirectory,
      simulated_root: join(authorityDirectory, "root.pem"),
    }),
  );
  const main = join(ROOT, "apps/trust/src/main.ts");
  const child = spawn(process.execPath, [main, "--config", config], { stdio: "ignore" });
  for (;;) {
    if (child.exitCode !== null)
      throw new Error(`the attestation service ended: ${child.exitCode}`);
    const isHealthy = await fetch(`http://127.0.0.1:${port}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isHealthy) return child;
    await sleep(20);
  }
}
