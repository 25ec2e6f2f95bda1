// What a run is given, and what comes out of it.
import type { Worker } from "node:worker_threads";
import type { RightsTable } from "@holdfast/policy";
import type { AdmittedModule } from "../module/admit.ts";
import type { Changes, Snapshot } from "../store/snapshot.ts";

/** Starts the thread that guests run in: from the entry file in development, from embedded text in a bundle. */
export type CreateWorker = () => Worker;

/** Bounds of a run; what is absent takes the default. */
export interface RunLimits {
  /** Default: none. */
  readonly wallTimeMs?: number;
  /** Bytes of stdout and stderr together. Default 64 MiB. */
  readonly outputBytes?: number;
  /** Bytes that files of the run may grow beyond the snapshot. Default 1 GiB. */
  readonly storageBytes?: number;
  /** Files, directories and links in all. Default 65,536. */
  readonly entries?: number;
  /** Open descriptors. Default 1,024. */
  readonly descriptors?: number;
}

/** Time as the guest sees it; off means that clocks answer an error and file times are zero. */
export type GuestClock = "off" | "system" | { readonly fixed: Date };

/** Randomness as the guest sees it; a seed gives the same bytes in every run. */
export type GuestRandom = "system" | { readonly seed: Uint8Array };

/** A directory the guest finds open when it starts. */
export interface Preopen {
  /** Normalised path in the store. */
  readonly path: string;
  /** The name the guest sees. */
  readonly name: string;
}

/** A run to be started. */
export interface RunOptions {
  readonly module: AdmittedModule;
  readonly snapshot: Snapshot;
  /** Rights of the program; the nearest entry at or above a path decides, streams need an entry of their own. */
  readonly rights: RightsTable;
  /** Directories that are made when absent: entries of the rights table that the policy spells as such. Default: none. */
  readonly directories?: readonly string[];
  /** Default: `directories` and the entries of the rights table that are one, then the root. Descriptors from 3. */
  readonly preopens?: readonly Preopen[];
  /** All arguments, the program's name first. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: GuestClock;
  readonly random: GuestRandom;
  /** What the guest reads from stdin; absent is an empty stream. */
  readonly stdin?: Uint8Array;
  readonly limits?: RunLimits;
  /** Called while the guest runs; the bytes are the receiver's to keep. */
  readonly onOutput?: (stream: "stdout" | "stderr", bytes: Uint8Array) => void;
  /** Called for each WASI call with its arguments and result, as one line. */
  readonly onTrace?: (line: string) => void;
  /** Give changes also when the run did not exit by itself, as far as they can be had. */
  readonly keepPartialOutput?: boolean;
}

/** How a run ended. */
export interface RunOutcome {
  readonly state: "exited" | "trapped" | "cancelled" | "limit" | "failed";
  /** Only when state is exited. */
  readonly exitCode?: number;
  /** Only when state is trapped. */
  readonly trap?: { readonly message: string; readonly function?: string };
  /** A permanent word of why, RUN_WALL_TIME, RUN_OUTPUT_LIMIT, RUN_OUT_OF_MEMORY, RUN_HOST_FAULT,
   * RUN_WORKER_LOST, RUN_RECEIVER_FAILED; RUN_STORAGE_LIMIT also when the guest was told so and exited by itself. */
  readonly reason?: string;
  /** What the run wrote; absent when nothing may be kept. */
  readonly changes?: Changes;
  readonly durationMs: number;
  readonly peakMemoryBytes: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Paths of snapshot files that the guest read, sorted. */
  readonly inputs: readonly string[];
  /** Paths of files that stand anew in `changes`, sorted. */
  readonly outputs: readonly string[];
}

/** A run under way. */
export interface Run {
  /** Never rejects. */
  readonly done: Promise<RunOutcome>;
  /** Ends the run, even in an endless loop; harmless when it has ended. */
  cancel(): void;
}
