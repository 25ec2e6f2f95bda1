// The port through which VaaS has keeps: whoever runs them (processes here, a cluster elsewhere) stands behind it.
import type { ProcessRecord } from "@holdfast/store";

/** What a keep is started with. */
export interface KeepSpec {
  readonly id: string;
  /** Exact text. */
  readonly policy: string;
  readonly port: number;
  /** What the policy says that the keep measures to. */
  readonly measurement: string;
}

/** A keep as its launcher sees it now. */
export interface KeepReport {
  /** The loader runs. */
  readonly alive: boolean;
  /** What the loader said last; `silent` before its first word. */
  readonly state: "silent" | "starting" | "attested" | "serving" | "failed" | "ended";
  readonly reason?: string;
  readonly keep?: ProcessRecord;
  readonly platform?: string;
  readonly simulated?: boolean;
  readonly measurement?: string;
}

/** The processes of a keep, as recorded. */
export interface KeepHandle {
  readonly id: string;
  readonly loader?: ProcessRecord;
  readonly keep?: ProcessRecord;
}

/** Starts, looks at, finds again and ends keeps. */
export interface KeepLauncher {
  /** Who this launcher is, for ever: what it started only it can look at and end. */
  readonly node: string;
  /** What keeps of this launcher measure to, 64 hexadecimal digits. */
  measurement(): Promise<string>;
  /**
   * Starts a keep. `record` is awaited before it is told what it is for: a crash in between leaves a process that was
   * never told, and ends by itself. It is called again when another process had to take the place of one that died.
   */
  start(spec: KeepSpec, record: (loader: ProcessRecord) => Promise<void>): Promise<void>;
  look(keep: KeepHandle): Promise<KeepReport>;
  /** Ends a keep and all its processes; returns once they are gone. */
  end(keep: KeepHandle): Promise<void>;
  /** Removes what a keep that is gone left behind. */
  forget(id: string): Promise<void>;
  /**
   * Comes closer to so many keeps that wait for a policy, measured and attested already; no more than so many wait. To
   * be called from time to time.
   */
  keepWarm(most: number): Promise<void>;
  /** How many keeps wait. */
  readonly waiting: number;
  /**
   * Calls back when a keep serves, or is over; answers how to stop that. Not every launcher hears of every keep: whoever
   * waits also looks from time to time.
   */
  follow(id: string, listener: () => void): () => void;
  /** Ends keeps that wait; keeps that have a policy go on. */
  close(): void;
  /** Ids of keeps that left something behind. */
  remains(): Promise<string[]>;
}
