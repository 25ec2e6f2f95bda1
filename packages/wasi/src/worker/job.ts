// What the runner and its worker say to each other. Everything is structured-cloneable; file bytes and the compiled
// module are shared, not copied.
import type { GuestClock, GuestRandom, Preopen } from "../run/options.ts";
import type { Changes, Snapshot } from "../store/snapshot.ts";

/** The worker's first word: it has loaded and takes jobs. */
export const READY = "ready";

/** A run, for the worker. */
export interface Job {
  readonly compiled: WebAssembly.Module;
  /** How many functions the guest's own module has. */
  readonly functions: number;
  /** Bounds of a memory that the host has to make; absent when the module brings its own. */
  readonly memory?: { readonly initial: number; readonly maximum: number };
  readonly snapshot: Snapshot;
  readonly rights: readonly (readonly [string, number])[];
  readonly directories: readonly string[];
  readonly preopens: readonly Preopen[];
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: GuestClock;
  readonly random: GuestRandom;
  readonly stdin: Uint8Array;
  readonly outputBytes: number;
  readonly storageBytes: number;
  readonly entries: number;
  readonly descriptors: number;
  readonly trace: boolean;
  readonly keepPartialOutput: boolean;
  readonly ring: SharedArrayBuffer;
}

/** How a job ended, as the worker knows it. */
export interface JobEnd {
  readonly state: "exited" | "trapped" | "cancelled" | "limit" | "failed";
  readonly exitCode?: number;
  readonly trap?: { readonly message: string; readonly function?: string };
  readonly reason?: string;
  readonly changes?: Changes;
  readonly inputs: readonly string[];
  readonly durationMs: number;
  /** The thread is as good as new; otherwise it is replaced. */
  readonly reusable: boolean;
}
