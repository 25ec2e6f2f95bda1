// A loader and its small keep in one process, for tests of this room: standard input and state file as the real one.
// `faults.json` beside its authority makes it go wrong.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { systemClock } from "@holdfast/core";
import { type KeepFaults, startSmallKeep } from "./small-keep.ts";

interface Spec {
  readonly bundle: string;
  readonly policy: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly platform: { readonly authority_dir: string };
  readonly state_file: string;
}

const input = await text(process.stdin);
if (input === "") process.exit(3);
const spec = JSON.parse(input) as Spec;
const authorityDirectory = spec.platform.authority_dir;
const digest = createHash("sha384").update(readFileSync(spec.bundle)).digest("hex");
const measurement = digest.slice(0, 64);

process.on("SIGTERM", () =>
  setTimeout(() => tell("ended", "terminated"), faults().endDelayMs ?? 0),
);
if (faults().vanish) process.exit(1);
// Keeps the process alive where the keep itself does not.
setInterval(() => undefined, 1000);
await startSmallKeep({ ...spec, authorityDirectory, measurement, faults, tell });

function tell(state: string, reason?: string): void {
  const said = {
    state,
    loader_pid: process.pid,
    started_at: systemClock.now().toISOString(),
    platform: "simulated-nitro",
    simulated: true,
    measurement,
    ...(reason === undefined ? {} : { reason }),
  };
  writeFileSync(`${spec.state_file}.new`, JSON.stringify(said));
  renameSync(`${spec.state_file}.new`, spec.state_file);
  if (state === "ended" || state === "failed") process.exit(state === "ended" ? 0 : 1);
}

function faults(): KeepFaults {
  const path = join(authorityDirectory, "faults.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as KeepFaults) : {};
}
