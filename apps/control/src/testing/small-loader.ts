// A loader and its small keep in one process, for tests of this room: orders, lines and state file as the real one.
// `faults.json` beside its authority makes it go wrong.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { systemClock } from "@holdfast/core";
import { type KeepFaults, startSmallKeep } from "./small-keep.ts";

interface Config {
  readonly bundle: string;
  readonly platform: { readonly authority_dir: string };
  readonly ahead: boolean;
}

interface Assignment {
  readonly policy: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly state_file: string;
}

const startedAt = systemClock.now().toISOString();
const orders = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const config = await nextOrder<Config>();
const authorityDirectory = config.platform.authority_dir;
const digest = createHash("sha384").update(readFileSync(config.bundle)).digest("hex");
const measurement = digest.slice(0, 64);
let stateFile: string | undefined;

// Whoever started it may be gone, and the pipe with it.
process.stdout.on("error", () => undefined);
process.on("SIGTERM", () =>
  setTimeout(() => tell("ended", "terminated"), faults().endDelayMs ?? 0),
);
tell("starting");
if (config.ahead) {
  const { neverWait } = faults();
  if (neverWait !== undefined) tell("failed", neverWait);
  tell("waiting");
}
const assignment = await nextOrder<Assignment>();
stateFile = assignment.state_file;
if (faults().vanish || (config.ahead && faults().vanishAtHandOver)) process.exit(1);
// Keeps the process alive where the keep itself does not.
setInterval(() => undefined, 1000);
await startSmallKeep({ ...assignment, authorityDirectory, measurement, faults, tell });

/** Who is gone before it has said everything leaves nobody to work for. */
async function nextOrder<T>(): Promise<T> {
  const { value, done } = await orders.next();
  if (done) process.exit(3);
  return JSON.parse(value) as T;
}

function tell(state: string, reason?: string): void {
  const said = JSON.stringify({
    state,
    loader_pid: process.pid,
    started_at: startedAt,
    platform: "simulated-nitro",
    simulated: true,
    measurement,
    ...(reason === undefined ? {} : { reason }),
  });
  if (stateFile !== undefined) {
    writeFileSync(`${stateFile}.new`, said);
    renameSync(`${stateFile}.new`, stateFile);
  }
  process.stdout.write(`${said}\n`);
  if (state === "ended" || state === "failed") process.exit(state === "ended" ? 0 : 1);
}

function faults(): KeepFaults {
  const path = join(authorityDirectory, "faults.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as KeepFaults) : {};
}
