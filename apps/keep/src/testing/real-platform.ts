// A whole platform of real processes: attestation service, loader, keep. Everything is on loopback and in a directory
// of its own, and everything that was started is ended.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { openSimulatedAuthority } from "@holdfast/attester";
import {
  type ClientIdentity,
  connectKeep,
  fetchTrusting,
  type KeepConnection,
  newIdentity,
} from "@holdfast/channel";
import { KeepClient } from "@holdfast/contract";
import { systemClock } from "@holdfast/core";
import { type Policy, parsePolicy } from "@holdfast/policy";
import type { LoaderState } from "../loader/state-report.ts";
import { freePort } from "./test-keep.ts";
import { type PolicyParts, policyText, type RightsByPath } from "./test-policy.ts";

const ROOT = resolve(import.meta.dirname, "../../../..");
const PATIENCE_MS = 60_000;

/** A platform with its attestation service running. */
export interface RealPlatform {
  readonly directory: string;
  readonly bundle: string;
  readonly measurement: string;
  readonly attestationUrl: string;
  readonly attestationCertificatePem: string;
  /** The authority that the attestation service is under, when it speaks TLS. */
  readonly attestationCaFile: string | undefined;
  close(): Promise<void>;
}

/** A keep in its own process. */
export interface RealKeep {
  readonly policy: Policy;
  readonly identities: readonly ClientIdentity[];
  readonly loader: ChildProcess;
  readonly logFile: string;
  state(): LoaderState;
  /** Waits until the keep is in one of the states; it never waits for one that can't come any more. */
  reaches(...states: LoaderState["state"][]): Promise<LoaderState>;
  connection(identity?: number): Promise<KeepConnection>;
  client(identity?: number): Promise<KeepClient>;
}

/** Builds the bundle and starts the attestation service. */
export async function startPlatform({
  tls = false,
} = {}): Promise<RealPlatform & { children: ChildProcess[] }> {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-keep-"));
  const bundle = join(directory, "keep.mjs");
  const built = spawnSync(process.execPath, ["tools/build-keep.ts", "--out", bundle], {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (built.status !== 0) throw new Error(`the bundle can't be built: ${built.stderr}`);
  const { measurement } = JSON.parse(built.stdout) as { measurement: string };
  await openSimulatedAuthority(join(directory, "authority"), systemClock);
  const port = await freePort();
  const config = join(directory, "trust.json");
  writeFileSync(
    config,
    JSON.stringify({
      listen: { host: "127.0.0.1", port },
      data_dir: join(directory, "trust"),
      simulated_root: join(directory, "authority/root.pem"),
      ...(tls ? { tls: { auto_dir: join(directory, "tls") } } : {}),
    }),
  );
  const trust = spawn(process.execPath, ["apps/trust/src/main.ts", "--config", config], {
    cwd: ROOT,
    stdio: "ignore",
  });
  const children = [trust];
  const url = `${tls ? "https" : "http"}://127.0.0.1:${port}`;
  const caFile = tls ? join(directory, "tls/ca.pem") : undefined;
  const authority = await answerOf(`${url}/v1/authority`, caFile);
  return {
    directory,
    bundle,
    measurement,
    attestationUrl: url,
    attestationCaFile: caFile,
    attestationCertificatePem: (authority as { certificate_pem: string }).certificate_pem.trimEnd(),
    children,
    async close() {
      await Promise.all(children.map(endProcess));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** What a keep is for, and what its loader is told otherwise. */
export type RealKeepOptions = Partial<Omit<PolicyParts, "identities">> & {
  readonly rights: readonly RightsByPath[];
  /** Members that replace those of the loader's configuration. */
  readonly loader?: Readonly<Record<string, unknown>>;
  /** Members that replace those of the assignment. */
  readonly assignment?: Readonly<Record<string, unknown>>;
};

/** A keep that was started ahead of need. */
export interface WaitingKeep extends RealKeep {
  /** Waits until the keep waits; what its loader said then. */
  waits(): Promise<LoaderState>;
  /** What the loader said last, in whatever form. */
  said(): LoaderState | undefined;
  /** Tells the loader what the keep is for, as often as asked. */
  assign(times?: number): void;
}

type Platform = RealPlatform & { children: ChildProcess[] };

/** Starts a keep on a platform. */
export async function startRealKeep(
  platform: Platform,
  options: RealKeepOptions,
): Promise<RealKeep> {
  const { keep, orders } = await loadKeep(platform, options);
  keep.loader.stdin?.end(orders.join(""));
  return keep;
}

/** Starts a keep that waits for its policy. */
export async function startWaitingKeep(
  platform: Platform,
  options: RealKeepOptions,
): Promise<WaitingKeep> {
  const loader = { ...options.loader, ahead: true };
  const { keep, orders } = await loadKeep(platform, { ...options, loader });
  const [config = "", assignment = ""] = orders;
  let last: LoaderState | undefined;
  if (keep.loader.stdout === null) throw new Error("the loader has no output");
  createInterface({ input: keep.loader.stdout }).on("line", (line) => {
    last = JSON.parse(line) as LoaderState;
  });
  keep.loader.stdin?.write(config);
  return {
    ...keep,
    said: () => last,
    async waits() {
      const end = Date.now() + PATIENCE_MS;
      while (last?.state !== "waiting") {
        if (Date.now() > end) throw new Error(`the keep does not wait: ${JSON.stringify(last)}`);
        await pause(20);
      }
      return last;
    },
    assign: (times = 1) => void keep.loader.stdin?.end(assignment.repeat(times)),
  };
}

async function loadKeep(
  platform: Platform,
  options: RealKeepOptions,
): Promise<{ keep: RealKeep; orders: string[] }> {
  const port = await freePort();
  const identities = await Promise.all(
    options.rights.map((_, id) =>
      newIdentity({ commonName: `identity ${id}`, clock: systemClock }),
    ),
  );
  const text = policyText({
    serverUrl: `127.0.0.1:${port}`,
    attestationUrl: new URL(platform.attestationUrl).host,
    attestationCertificatePem: platform.attestationCertificatePem,
    measurement: platform.measurement,
    ...options,
    identities: options.rights.map((rights, id) => ({
      certificatePem: identities[id]?.certificatePem ?? "",
      rights,
    })),
  });
  const stateFile = join(platform.directory, `keep-${port}.json`);
  const logFile = join(platform.directory, `keep-${port}.log`);
  const loader = spawn(process.execPath, [join(platform.directory, "loader.mjs")], {
    cwd: ROOT,
    stdio: ["pipe", "pipe", "ignore"],
  });
  loader.stdin.on("error", () => undefined);
  loader.stdout.resume();
  platform.children.push(loader);
  const orders = [
    {
      bundle: platform.bundle,
      attestation_url: platform.attestationUrl,
      attestation_ca_file: platform.attestationCaFile,
      platform: { kind: "simulated-nitro", authority_dir: join(platform.directory, "authority") },
      ...options.loader,
    },
    {
      policy: text,
      listen: { host: "127.0.0.1", port },
      state_file: stateFile,
      log_file: logFile,
      ...options.assignment,
    },
  ].map((order) => `${JSON.stringify(order)}\n`);
  const policy = parsePolicy(text);
  const state = (): LoaderState => JSON.parse(readFileSync(stateFile, "utf8")) as LoaderState;
  const connection = (id = 0): Promise<KeepConnection> => {
    const identity = identities[id];
    if (identity === undefined) throw new Error(`no identity ${id}`);
    return connectKeep({ policy, identity, clock: systemClock });
  };
  const keep: RealKeep = {
    policy,
    identities,
    loader,
    logFile,
    state,
    reaches: (...states) => reached(stateFile, states),
    connection,
    client: async (id) => new KeepClient(await connection(id)),
  };
  return { keep, orders };
}

async function reached(
  stateFile: string,
  states: readonly LoaderState["state"][],
): Promise<LoaderState> {
  const end = Date.now() + PATIENCE_MS;
  let last = "no state";
  while (Date.now() < end) {
    if (existsSync(stateFile)) {
      last = readFileSync(stateFile, "utf8");
      const state = JSON.parse(last) as LoaderState;
      if (states.includes(state.state)) return state;
      if (state.state === "failed" || state.state === "ended") break;
    }
    await pause(20);
  }
  throw new Error(`the keep does not reach ${states.join(" or ")}: ${last}`);
}

async function answerOf(url: string, caFile: string | undefined): Promise<unknown> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      const ask =
        caFile === undefined ? fetch : fetchTrusting({ authoritiesPem: readFileSync(caFile) });
      return await (await ask(url, {})).json();
    } catch (thrown) {
      if (Date.now() > end) throw thrown;
      await pause(50);
    }
  }
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 8000);
  await exited;
  clearTimeout(timer);
}
