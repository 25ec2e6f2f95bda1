// The keep's loader, on the host and untrusted: it plays the hypervisor. It measures the bundle, holds the simulated
// attestation device, starts the keep with exactly the bytes it measured, and tells how the keep stands.
import type { ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import {
  createSimulatedNsm,
  openSimulatedAuthority,
  serveNsm,
  simulatedPcrs,
} from "@holdfast/attester";
import { HoldfastError, messageOf, systemClock } from "@holdfast/core";
import { type LoaderConfig, LoaderError, parseLoaderConfig } from "./config.ts";
import { followLines, noteLine } from "./follow-keep.ts";
import { type MeasuredBundle, measureBundle } from "./measure-bundle.ts";
import { serveRelay } from "./serve-relay.ts";
import { type KeepProcess, spawnKeep } from "./spawn-keep.ts";
import { StateFile } from "./state-file.ts";

const MAXIMUM_CONFIG = 64 * 1024 * 1024;
const PATIENCE_MS = 5000;
const EXIT_CONFIG = 64;

// Whoever started the loader may be gone, and the pipes with it.
process.stdout.on("error", () => undefined);
process.stderr.on("error", () => undefined);

try {
  const config = parseLoaderConfig(await readInput());
  process.exitCode = await load(config);
} catch (thrown) {
  const code = thrown instanceof HoldfastError ? thrown.code : "LOADER_INTERNAL";
  console.error(`${code}: ${messageOf(thrown)}`);
  process.exitCode = EXIT_CONFIG;
}

async function load(config: LoaderConfig): Promise<number> {
  const ending = hearSignals();
  const started = systemClock.now().toISOString();
  const state = new StateFile(config.stateFile, {
    state: "starting",
    loader_pid: process.pid,
    started_at: started,
    platform: config.platform.kind,
    simulated: true,
    measurement: "",
    policy_hash: createHash("sha256").update(config.policy).digest("hex"),
    listen: config.listen,
  });
  try {
    const bundle = measureBundle(config.bundle);
    state.change({ measurement: bundle.measurement });
    return await runKeep(config, bundle, state, ending);
  } catch (thrown) {
    state.change({ state: "failed", reason: messageOf(thrown) });
    throw thrown;
  }
}

async function runKeep(
  config: LoaderConfig,
  bundle: MeasuredBundle,
  state: StateFile,
  ending: Ending,
): Promise<number> {
  const authority = await openSimulatedAuthority(config.platform.authorityDir, systemClock);
  const nsm = createSimulatedNsm({
    authority,
    pcrs: simulatedPcrs(bundle.pcr0),
    moduleId: `i-simulated-enc${randomBytes(8).toString("hex")}`,
    clock: systemClock,
  });
  const note = (event: string, reason: string): void => {
    const time = systemClock.now().toISOString();
    appendFileSync(
      config.logFile,
      `${JSON.stringify({ time, level: "warn", by: "loader", event, reason })}\n`,
    );
  };
  const keep = spawnKeep({ bundle: bundle.bytes, config: keepConfig(config) });
  state.change(keep.child.pid === undefined ? {} : { keep_pid: keep.child.pid });
  serveNsm(keep.device, nsm, (reason) => note("device-fault", reason)).catch(() => undefined);
  serveRelay(keep.relay, config.attestationUrl, (reason) => note("relay-fault", reason)).catch(
    () => undefined,
  );
  followLines(keep.output, config.logFile, (line) => noteLine(state, line));
  followLines(keep.errors, config.logFile, () => undefined);
  ending.child = keep.child;
  if (ending.signal !== undefined) endChild(ending);
  const code = await exitOf(keep);
  const asWished = ending.signal !== undefined || (state.state.state === "serving" && code === 0);
  state.change({
    state: asWished ? "ended" : "failed",
    exit_code: code,
    reason: state.state.reason ?? ending.signal ?? `the keep exited with ${code}`,
  });
  return asWished ? 0 : 1;
}

function keepConfig({ policy, listen, attestationUrl }: LoaderConfig): string {
  return JSON.stringify({ policy, listen, attestation_url: attestationUrl });
}

/** Signals are heard before anything is started, so that none leaves a half-told state behind. */
interface Ending {
  signal?: string;
  child?: ChildProcess;
}

function hearSignals(): Ending {
  const ending: Ending = {};
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      ending.signal = signal;
      endChild(ending);
    });
  }
  return ending;
}

function endChild({ child }: Ending): void {
  child?.kill("SIGTERM");
  setTimeout(() => child?.kill("SIGKILL"), PATIENCE_MS).unref();
}

/** The exit code; as a shell says it when a signal ended the process. */
function exitOf({ child }: KeepProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    // After its pipes have closed, so that the last lines are read.
    child.once("close", (code, signal) => resolve(code ?? (signal === "SIGKILL" ? 137 : 143)));
  });
}

async function readInput(): Promise<string> {
  let text = "";
  process.stdin.setEncoding("utf8");
  for await (const part of process.stdin) {
    text += part;
    if (text.length > MAXIMUM_CONFIG) {
      throw new LoaderError("LOADER_CONFIG", `configuration is over ${MAXIMUM_CONFIG} characters`);
    }
  }
  return text;
}
