// The keep's loader, on the host and untrusted: it plays the hypervisor. It measures the bundle, holds the simulated
// attestation device, starts the keep with exactly the bytes it measured, hands it its assignment, and tells how the keep
// stands. A loader whose input ends before it was assigned ends with its keep: whoever started them is gone.
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { serveNsm } from "@holdfast/attester";
import { HoldfastError, messageOf, systemClock } from "@holdfast/core";
import { readLines } from "../read-lines.ts";
import {
  type LoaderConfig,
  LoaderError,
  parseLoaderAssignment,
  parseLoaderConfig,
} from "./config.ts";
import { followLines, noteLine } from "./follow-keep.ts";
import { KeepLog } from "./keep-log.ts";
import { type MeasuredBundle, measureBundle } from "./measure-bundle.ts";
import { type OpenPlatform, openPlatform } from "./open-platform.ts";
import type { RelayTarget } from "./post-to-service.ts";
import { serveRelay } from "./serve-relay.ts";
import { type KeepProcess, spawnKeep } from "./spawn-keep.ts";
import { StateReport } from "./state-report.ts";

const MAXIMUM_LINE = 64 * 1024 * 1024;
const PATIENCE_MS = 5000;
const EXIT_CONFIG = 64;

// Whoever started the loader may be gone, and the pipes with it.
process.stdout.on("error", () => undefined);
process.stderr.on("error", () => undefined);

const orders = readLines(process.stdin, MAXIMUM_LINE);
try {
  process.exitCode = await load(parseLoaderConfig(await nextOrder("configuration")));
} catch (thrown) {
  const code = thrown instanceof HoldfastError ? thrown.code : "LOADER_INTERNAL";
  console.error(`${code}: ${messageOf(thrown)}`);
  process.exitCode = EXIT_CONFIG;
} finally {
  process.stdin.destroy();
}

async function nextOrder(what: string): Promise<string> {
  const { value } = await orders.next().catch((cause: unknown) => {
    throw new LoaderError("LOADER_CONFIG", `input can't be read: ${messageOf(cause)}`, { cause });
  });
  if (typeof value === "string") return value;
  throw new LoaderError("LOADER_CONFIG", `no ${what} came`);
}

async function load(config: LoaderConfig): Promise<number> {
  const ending = hearSignals();
  const log = new KeepLog();
  const report = new StateReport(
    {
      state: "starting",
      loader_pid: process.pid,
      started_at: systemClock.now().toISOString(),
      platform: config.platform.kind,
      simulated: config.platform.kind === "simulated-nitro",
      measurement: "",
    },
    (line) => process.stdout.write(line),
  );
  const told = assign(report, log);
  told.catch(() => undefined);
  try {
    // Who needs the keep now must find out whatever goes wrong: first the file in which to tell it.
    if (!config.ahead) await told;
    const bundle = measureBundle(config.bundle);
    const platform = await openPlatform(config.platform, bundle);
    try {
      report.change({ measurement: platform.measurement });
      return await runKeep({ config, bundle, platform, report, log, told, ending });
    } finally {
      platform.close();
    }
  } catch (thrown) {
    report.change({ state: "failed", reason: messageOf(thrown) });
    throw thrown;
  }
}

/** Takes the assignment, with which the input ends; answers it as the keep is to have it. */
async function assign(report: StateReport, log: KeepLog): Promise<string> {
  const { policy, listen, stateFile, logFile } = parseLoaderAssignment(
    await nextOrder("assignment"),
  );
  log.open(logFile);
  const policyHash = createHash("sha256").update(policy).digest("hex");
  report.keepIn(stateFile, { policy_hash: policyHash, listen });
  if (!(await orders.next()).done) throw new LoaderError("LOADER_CONFIG", "assigned twice");
  return JSON.stringify({ policy, listen });
}

/** A keep and what comes with it. */
interface Load {
  readonly config: LoaderConfig;
  readonly bundle: MeasuredBundle;
  readonly platform: OpenPlatform;
  readonly report: StateReport;
  readonly log: KeepLog;
  readonly told: Promise<string>;
  readonly ending: Ending;
}

async function runKeep(load: Load): Promise<number> {
  const { config, bundle, platform, report, log, told, ending } = load;
  const relay = { service: relayTarget(config), fetchAllow: config.fetchAllow };
  const keep = spawnKeep(bundle.bytes);
  report.change(keep.child.pid === undefined ? {} : { keep_pid: keep.child.pid });
  serveNsm(keep.device, platform.nsm, (reason) => log.note("device-fault", reason)).catch(
    () => undefined,
  );
  serveRelay(keep.relay, relay, (reason) => log.note("relay-fault", reason)).catch(() => undefined);
  followLines(keep.output, (line) => {
    log.add(line);
    noteLine(report, line);
  });
  followLines(keep.errors, (line) => log.add(line));
  ending.child = keep.child;
  if (ending.signal !== undefined) endChild(ending);
  keep.orders.write(
    `${JSON.stringify({ attestation_url: config.attestationUrl, ahead: config.ahead })}\n`,
  );
  told.then(
    (assignment) => keep.orders.end(`${assignment}\n`),
    (thrown: unknown) => {
      report.change({ reason: `the keep was not assigned: ${messageOf(thrown)}` });
      keep.child.kill("SIGKILL");
    },
  );
  const code = await exitOf(keep);
  const asWished = ending.signal !== undefined || (report.state.state === "serving" && code === 0);
  report.change({
    state: asWished ? "ended" : "failed",
    exit_code: code,
    reason: report.state.reason ?? ending.signal ?? `the keep exited with ${code}`,
  });
  return asWished ? 0 : 1;
}

function relayTarget({ attestationUrl: url, attestationCaFile: file }: LoaderConfig): RelayTarget {
  if (file === undefined) return { url };
  try {
    return { url, authorityPem: readFileSync(file, "utf8") };
  } catch (cause) {
    const message = `attestation_ca_file can't be read: ${messageOf(cause)}`;
    throw new LoaderError("LOADER_CONFIG", message, { cause });
  }
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
