// The port through which VaaS has keeps: whoever runs them (processes here, a cluster elsewhere) stands behind it.
import type { ProcessRecord } from "@holdfast/store";

/** What a keep is started with. */
export interface KeepSpec {
  readonly id: string;
  /** Exact text. */
  readonly policy: string;
  readonly port: number;
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
   * Starts a keep. `record` is awaited between the start of the process and its first instruction: a crash in between
   * leaves a process that was never told anything, and ends by itself.
   */
  start(spec: KeepSpec, record: (loader: ProcessRecord) => Promise<void>): Promise<void>;
  look(keep: KeepHandle): Promise<KeepReport>;
  /** Ends a keep and all its processes; returns once they are gone. */
  end(keep: KeepHandle): Promise<void>;
  /** Removes what a keep that is gone left behind. */
  forget(id: string): Promise<void>;
  /** Makes ready for keeps to come. */
  warmUp(): Promise<void>;
  /** Lets go of what is ready and not used; keeps go on. */
  close(): void;
  /** Ids of keeps that left something behind. */
  remains(): Promise<string[]>;
}
