// The keep's process: orders from the loader, attestation, the door, the end. This file alone touches the
// process; it is the entry of the measured bundle.
import { Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { nsmOverStream } from "@holdfast/attester";
import { HoldfastError, systemClock } from "@holdfast/core";
import { policyHash } from "@holdfast/policy";
import { WORKER_OPTIONS } from "@holdfast/wasi";
import { buildKeep, type Keep } from "./app.ts";
import { type AttestDeps, attestKeep, type Platform } from "./boot/attest-keep.ts";
import { attestationServiceOver, foresighted } from "./boot/attestation-service.ts";
import { sourceOver } from "./boot/input-source.ts";
import { keyBrokerOver } from "./boot/key-broker.ts";
import { callsOverStream } from "./boot/loader-calls.ts";
import { readOrders } from "./boot/read-orders.ts";
import { rehearse } from "./boot/rehearse.ts";
import { relayOver } from "./boot/relay.ts";
import { renewInTime } from "./boot/renew-in-time.ts";
import type { Assignment } from "./config.ts";
import type { Address } from "./door/server.ts";
import { BootError } from "./errors.ts";
import { createLog } from "./log.ts";
import { lazyRunner, type RunStarter } from "./state/lazy-runner.ts";

/** The workers that programs run in, and are admitted in, as text: the keep has no files. Put in by the bundler. */
declare const KEEP_WORKER_SOURCE: string;
declare const KEEP_ADMISSION_SOURCE: string;

const DEVICE_FD = 3;
const CONFIG_FD = 4;
const RELAY_FD = 5;
const EXIT_BOOT = 1;
const EXIT_FAULT = 70;
/** For runs and connections to end in. */
const PATIENCE_MS = 10_000;

const log = createLog(systemClock, (line) => process.stdout.write(line));

process.on("uncaughtException", (fault) => {
  // Where, not what: messages may hold what the host must not read.
  const at = fault instanceof Error ? (fault.stack?.split("\n    at ")[1] ?? "") : "";
  log.error("fault", { code: fault instanceof HoldfastError ? fault.code : fault.name, at });
  process.exit(EXIT_FAULT);
});

try {
  await serve();
  process.exit(0);
} catch (thrown) {
  if (!(thrown instanceof BootError)) throw thrown;
  log.error("boot-failed", { code: thrown.code, reason: thrown.message });
  process.exit(EXIT_BOOT);
}

async function serve(): Promise<void> {
  const device = duplexOn(DEVICE_FD);
  const loaderGone = deserted(device);
  const calls = callsOverStream(duplexOn(RELAY_FD));
  const relay = relayOver(calls);
  const service = foresighted(attestationServiceOver(relay));
  const platform: Platform = { device: nsmOverStream(device), service, clock: systemClock };
  const runner = lazyRunner({
    forRuns: () => createWorker(KEEP_WORKER_SOURCE),
    forAdmission: () => createWorker(KEEP_ADMISSION_SOURCE),
  });
  // While it is looked through, the challenge is on its way.
  const assignment = await assigned(platform, runner, () => service.askAhead());
  const hash = await policyHash(assignment.policy.text);
  log.info("assigned", { policy_hash: hash, dialect: assignment.policy.dialect });
  const deps: AttestDeps = { ...platform, policy: assignment.policy, policyHash: hash };
  const attested = await attestKeep(deps);
  const { verdict, measurement } = attested;
  log.info("attested", { platform: verdict.platform, simulated: verdict.simulated, measurement });
  const keep = buildKeep({ ...deps, attested, runner, log });
  const { port } = await open(keep, assignment);
  giveUpPermissions();
  log.info("serving", { port, ...permissions() });
  const keys = keyBrokerOver({ ...platform, relay, policyText: assignment.policy.text });
  void keep.fetchInputs({ source: sourceOver(calls), keys });
  const renewal = renewInTime({ attested, deps, log, renew: (next) => keep.renew(next) });
  const reason = await Promise.race([keep.ended, signalled(), loaderGone]);
  log.info("ending", { reason });
  renewal.stop();
  // Whoever would see that it does not end may be gone.
  setTimeout(() => process.exit(EXIT_FAULT), PATIENCE_MS).unref();
  await keep.close();
}

/** What the keep is for. Before it knows, it listens nowhere. */
async function assigned(
  platform: Platform,
  runner: RunStarter,
  arrived: () => void,
): Promise<Assignment> {
  const orders = readOrders(new Socket({ fd: CONFIG_FD, readable: true, writable: false }));
  const boot = await orders.boot();
  log.info("booting", { ahead: boot.ahead });
  if (boot.ahead) {
    await rehearse(platform);
    runner.prepare();
    log.info("waiting");
  }
  return await orders.assignment(boot, arrived);
}

async function open(keep: Keep, { listen }: Assignment): Promise<Address> {
  try {
    return await keep.open(listen);
  } catch (cause) {
    const { host, port } = listen;
    throw new BootError("BOOT_LISTEN", `can't listen on ${host}:${port}`, { cause });
  }
}

/** The door is open, and everything else comes and goes by the streams of the loader: no network is needed any more. */
function giveUpPermissions(): void {
  for (const scope of ["net", "fs", "child"]) process.permission?.drop(scope);
}

/** What the process may still do, for the log. */
function permissions(): Readonly<Record<string, boolean>> {
  const scopes = ["net", "fs.read", "fs.write", "child", "addons", "inspector"];
  return Object.fromEntries(scopes.map((scope) => [scope, process.permission?.has(scope) ?? true]));
}

function duplexOn(fd: number): Socket {
  return new Socket({ fd, readable: true, writable: true });
}

function createWorker(source: string): Worker {
  return new Worker(source, { ...WORKER_OPTIONS, eval: true, argv: [] });
}

function signalled(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.once(signal, () => resolve(signal));
    }
  });
}

/** A keep without its loader can't attest any more, and nobody would find it. */
function deserted(device: Socket): Promise<string> {
  return new Promise((resolve) => device.once("close", () => resolve("the loader is gone")));
}
