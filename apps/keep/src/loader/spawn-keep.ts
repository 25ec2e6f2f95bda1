// Starts the keep's process with as little as Node can be left with: no environment, no files (the bundle comes in by
// standard input), no child processes, no addons, no inspector, no code from strings, no core dumps.
import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex, Readable, Writable } from "node:stream";

/** A keep's process and its lines to the loader. */
export interface KeepProcess {
  readonly child: ChildProcess;
  /** Frames of the attestation device. */
  readonly device: Duplex;
  /** What the keep is told: two lines. */
  readonly orders: Writable;
  /** Requests to the attestation service. */
  readonly relay: Duplex;
  /** The keep's log lines. */
  readonly output: Readable;
  /** What Node itself says. */
  readonly errors: Readable;
}

/** Node's flags of a keep. */
export const KEEP_FLAGS: readonly string[] = [
  "--permission",
  // Node knows no finer grain: to listen is to have the network. The keep gives it up once its door is open.
  "--allow-net",
  "--allow-worker",
  "--disallow-code-generation-from-strings",
  "--disable-proto=delete",
  "--disable-sigusr1",
  "--no-addons",
  "--no-warnings",
  "--unhandled-rejections=strict",
  // Buffers of large transfers else have the whole heap collected every few megabytes.
  "--external-memory-accounted-in-global-limit",
  "--initial-old-space-size=32",
  "--input-type=module",
  "-",
];

/** Descriptors beyond the standard ones. */
const DEVICE_FD = 3;
const CONFIG_FD = 4;
const RELAY_FD = 5;

/** Starts a keep from its bundle. */
export function spawnKeep(bundle: Uint8Array): KeepProcess {
  // A shell sets the limit that Node can't set for a child, then becomes the keep; it would leave its PWD behind.
  const child = spawn(
    "/bin/sh",
    ["-c", 'ulimit -c 0; exec /usr/bin/env -i "$0" "$@"', process.execPath, ...KEEP_FLAGS],
    { env: {}, cwd: "/", stdio: Array(6).fill("pipe") },
  );
  const pipes: readonly unknown[] = child.stdio;
  const orders = pipes[CONFIG_FD] as Writable;
  // A keep that dies before it has read everything shows by its exit.
  for (const stream of [child.stdin, orders]) stream?.on("error", () => undefined);
  child.stdin?.end(bundle);
  return {
    child,
    device: pipes[DEVICE_FD] as Duplex,
    orders,
    relay: pipes[RELAY_FD] as Duplex,
    output: child.stdout as Readable,
    errors: child.stderr as Readable,
  };
}
