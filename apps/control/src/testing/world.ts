// Everything a test of the control plane needs: a directory, an authority, a bundle, and the services in this process
// or as one of their own that can be killed.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CcfaasClient, fetchTransport, VaasClient } from "@holdfast/contract";
import { systemClock } from "@holdfast/core";
import { openStore, type Store } from "@holdfast/store";
import pino from "pino";
import { buildServices, type Service } from "../app.ts";
import { type ConfigFile, parseConfig } from "../config.ts";
import { type Door, openDoor } from "../http/door.ts";
import { signalProcess } from "../keeps/process-mark.ts";
import { openConfiguredStore } from "../open-store.ts";
import { type SmallAuthority, startAuthority } from "./authority.ts";
import { InProcessLauncher } from "./in-process-launcher.ts";
import type { KeepFaults } from "./small-keep.ts";

/** A running control plane with what surrounds it. */
export interface World {
  readonly directory: string;
  readonly authority: SmallAuthority;
  /** Where the platform below the keeps has its root. */
  readonly authorityDirectory: string;
  readonly config: ConfigFile;
  readonly vaasUrl: string;
  readonly ccfaasUrl: string;
  readonly s3Url: string;
  readonly vaas: VaasClient;
  readonly ccfaas: CcfaasClient;
  /** Makes keeps that are started from now on go wrong. */
  setFaults(faults: KeepFaults): void;
  /** Keeps in this process; what `start` uses unless `localKeeps` was asked for. */
  readonly launcher: InProcessLauncher;
  /** Starts the services in this process. */
  start(): Promise<void>;
  /** Stops them as a signal would; keeps go on. */
  stop(): Promise<void>;
  /** The store of the services in this process. */
  store(): Store;
  /** Starts the services as a process of their own, under the world's configuration or a changed one. */
  spawn(change?: Partial<ConfigFile>, options?: { logFile?: string }): Promise<ChildProcess>;
  /** Ends everything, keeps included. */
  close(): Promise<void>;
}

interface Running {
  readonly services: Service[];
  readonly store: Store;
  readonly door: Door;
}

const LOADER = join(import.meta.dirname, "small-loader.ts");
const MAIN = join(import.meta.dirname, "../main.ts");

/** Makes a world; nothing of the control plane runs yet. */
export async function makeWorld(
  change: {
    keeps?: Partial<NonNullable<ConfigFile["keeps"]>>;
    limits?: ConfigFile["limits"];
    s3?: Partial<NonNullable<ConfigFile["s3"]>>;
    ccfaas?: Partial<NonNullable<ConfigFile["ccfaas"]>>;
    keepPorts?: number;
    databaseUrl?: string;
    blobs?: ConfigFile["blobs"];
    /** A true attestation service instead of the small authority. */
    attestationUrl?: string;
    /** Services in this process have their keeps as processes, too. */
    localKeeps?: boolean;
    /** Another address of VaaS than the true one. */
    vaasUrl?: string;
    /** What is started as a process of its own: the source, or what was built of it. */
    main?: string;
  } = {},
): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-control-"));
  const authorityDirectory = join(directory, "authority");
  mkdirSync(authorityDirectory);
  const authority = await startAuthority(authorityDirectory);
  const bundle = join(directory, "keep.mjs");
  writeFileSync(bundle, "// measured, not run\n");
  const [vaasPort = 0, ccfaasPort = 0, s3Port = 0] = await freePorts(3);
  const firstKeepPort = await freeRange(change.keepPorts ?? 3);
  const config: ConfigFile = {
    local_development: true,
    data_dir: join(directory, "data"),
    ...(change.databaseUrl === undefined ? {} : { database_url: change.databaseUrl }),
    ...(change.blobs === undefined ? {} : { blobs: change.blobs }),
    attestation_url: change.attestationUrl ?? authority.url,
    vaas: { host: "127.0.0.1", port: vaasPort },
    ccfaas: {
      host: "127.0.0.1",
      port: ccfaasPort,
      vaas_url: change.vaasUrl ?? `http://127.0.0.1:${vaasPort}`,
      ...change.ccfaas,
    },
    s3: { host: "127.0.0.1", port: s3Port, ...change.s3 },
    keeps: {
      bundle,
      loader: LOADER,
      host: "127.0.0.1",
      port_min: firstKeepPort,
      port_max: firstKeepPort + (change.keepPorts ?? 3) - 1,
      platform: { kind: "simulated-nitro", authority_dir: authorityDirectory },
      ...change.keeps,
    },
    ...(change.limits === undefined ? {} : { limits: change.limits }),
    log_level: process.env["HOLDFAST_TEST_LOG"] === undefined ? "silent" : "debug",
  };
  const listenHost = change.keeps?.listen_host ?? "127.0.0.1";
  const launcher = new InProcessLauncher({ bundle, authorityDirectory, listenHost });
  let running: Running | undefined;
  const children: ChildProcess[] = [];
  const urlOf = (port: number): string => `http://127.0.0.1:${port}`;
  const world: World = {
    directory,
    authority,
    authorityDirectory,
    config,
    launcher,
    vaasUrl: urlOf(vaasPort),
    ccfaasUrl: urlOf(ccfaasPort),
    s3Url: urlOf(s3Port),
    vaas: new VaasClient(fetchTransport(urlOf(vaasPort))),
    ccfaas: new CcfaasClient(fetchTransport(urlOf(ccfaasPort))),
    setFaults: (faults) =>
      writeFileSync(join(authorityDirectory, "faults.json"), JSON.stringify(faults)),
    async start() {
      running = await startServices(config, directory, change.localKeeps ? undefined : launcher);
    },
    async stop() {
      await stopServices(running);
      running = undefined;
    },
    store() {
      if (running === undefined) throw new Error("the services do not run in this process");
      return running.store;
    },
    async spawn(other = {}, { logFile } = {}) {
      const child = await spawnServices({ ...config, ...other }, { directory, ...change, logFile });
      children.push(child);
      return child;
    },
    async close() {
      await stopServices(running);
      launcher.killAll();
      for (const child of children) child.kill("SIGKILL");
      await endAllKeeps(config);
      await authority.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return world;
}

async function startServices(
  config: ConfigFile,
  base: string,
  launcher: InProcessLauncher | undefined,
): Promise<Running> {
  const parsed = parseConfig(config, base);
  const store = await openConfiguredStore(parsed);
  const logger = pino({ level: config.log_level ?? "silent" });
  const clock = systemClock;
  const door = await openDoor(parsed, { clock, logger });
  const services = await buildServices({
    config: parsed,
    store,
    clock,
    logger,
    door,
    ...(launcher === undefined ? {} : { launcher }),
  });
  for (const service of services) {
    await service.start();
    const { host, port } = service.listen;
    await service.app.listen({ host, port });
  }
  return { services, store, door };
}

async function stopServices(running: Running | undefined): Promise<void> {
  if (running === undefined) return;
  for (const { app, stop } of [...running.services].reverse()) {
    const closed = app.close();
    await stop();
    await closed;
  }
  running.door.close();
  await running.store.close();
}

async function spawnServices(
  config: ConfigFile,
  {
    directory,
    main = MAIN,
    logFile,
  }: { directory: string; main?: string; logFile?: string | undefined },
): Promise<ChildProcess> {
  const url = `http://127.0.0.1:${config.ccfaas?.port}`;
  const path = join(directory, `control-${config.ccfaas?.port}.json`);
  writeFileSync(path, JSON.stringify(config));
  const cache = join(directory, "cache");
  const child = spawn(process.execPath, [main, "--config", path], {
    stdio:
      logFile === undefined ? "inherit" : ["ignore", openSync(join(directory, logFile), "w"), 2],
    // As `holdfast up` starts it.
    env: { ...process.env, NODE_COMPILE_CACHE: cache, MALLOC_ARENA_MAX: "1" },
  });
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the control plane ended: ${child.exitCode}`);
    const healthy = await fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (healthy) return child;
    await sleep(20);
  }
}

/** Reads the records as a control plane would, and ends every keep that still runs. */
async function endAllKeeps({ data_dir, database_url }: ConfigFile): Promise<void> {
  const store = await openStore({
    directory: join(data_dir, "store"),
    ...(database_url === undefined ? {} : { databaseUrl: database_url }),
  });
  for (const { loader } of await store.keeps.list()) {
    // Keeps in this process are recorded under a number that is nobody's to kill.
    if (loader !== undefined) await signalProcess(loader, "SIGKILL");
  }
  await store.close();
}

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const probes = Array.from({ length: count }, () => createServer());
  for (const probe of probes) {
    probe.listen(0, "127.0.0.1");
    await once(probe, "listening");
  }
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port);
  for (const probe of probes) {
    probe.close();
    await once(probe, "close");
  }
  return ports;
}

/** The first of some ports in a row, below the range from which systems take their own. */
async function freeRange(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const probes = Array.from({ length: count }, () => createServer());
    const free = await Promise.all(
      probes.map(
        (probe, index) =>
          new Promise<boolean>((resolve) => {
            probe.once("error", () => resolve(false));
            probe.listen(first + index, "127.0.0.1", () => resolve(true));
          }),
      ),
    );
    await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))));
    if (free.every(Boolean)) return first;
  }
}
