// Runs a program outside a keep with the very same host: host directories are read in, and what the program changed is
// written back when it has ended. The library side of `holdfast wasm run`.
import { KNOWN_RIGHTS, type RightsTable } from "@holdfast/policy";
import { type AdmissionLimits, admitModule } from "../module/admit.ts";
import type { CreateWorker, RunOptions, RunOutcome } from "../run/options.ts";
import { startRun } from "../run/runner.ts";
import type { HostFiles } from "./host-files.ts";
import { type DirectoryMapping, guestPath, loadDirectories } from "./load.ts";
import { type WrittenBack, writeBack } from "./write-back.ts";

/** A run outside a keep. What is absent takes the defaults of a run in a keep. */
export interface OfflineOptions
  extends Pick<
    RunOptions,
    | "arguments"
    | "environment"
    | "clock"
    | "random"
    | "stdin"
    | "limits"
    | "onOutput"
    | "onTrace"
    | "keepPartialOutput"
  > {
  readonly program: Uint8Array;
  readonly directories: readonly DirectoryMapping[];
  /** Absent: everything in the directories and on the streams. */
  readonly rights?: RightsTable;
  /** Default: 4,096 MiB, all that a program can address. */
  readonly admission?: Partial<AdmissionLimits>;
  /** Most bytes and files that are read in. Default 4 GiB and 65,536. */
  readonly maximumBytes?: number;
  readonly maximumEntries?: number;
  readonly files: HostFiles;
  readonly createWorker: CreateWorker;
  /** Aborting cancels the run. */
  readonly signal?: AbortSignal;
}

/** How it ended, and what became of the host's files. */
export interface OfflineOutcome {
  readonly outcome: RunOutcome;
  readonly sha256: string;
  /** Clock and randomness were given, and NaNs made canonical: with the same input it is the same run on any machine. */
  readonly deterministic: boolean;
  readonly back: WrittenBack;
  /** Host paths that were left out when reading. */
  readonly skipped: readonly string[];
}

const NOTHING: WrittenBack = { written: [], removed: [], skipped: [] };

/** @throws WasiError MODULE_*, OFFLINE_DIRECTORY, OFFLINE_WRITE_BACK */
export async function runOffline(options: OfflineOptions): Promise<OfflineOutcome> {
  const deterministic = options.clock !== "system" && options.random !== "system";
  const module = await admitModule(options.program, {
    maxMemoryMib: 4096,
    deterministic,
    ...options.admission,
  });
  const { snapshot, skipped } = await loadDirectories(options.files, options.directories, {
    bytes: options.maximumBytes ?? 4 * 1024 ** 3,
    entries: options.maximumEntries ?? 65_536,
  });
  const preopens = options.directories.map(({ guest }) => ({
    path: guestPath(guest),
    name: guest,
  }));
  const run = startRun({
    ...options,
    module,
    snapshot,
    rights: options.rights ?? everything(preopens.map(({ path }) => path)),
    directories: preopens.map(({ path }) => path),
    preopens,
  });
  const cancel = (): void => run.cancel();
  options.signal?.addEventListener("abort", cancel, { once: true });
  if (options.signal?.aborted === true) cancel();
  const outcome = await run.done;
  options.signal?.removeEventListener("abort", cancel);
  const back =
    outcome.changes === undefined
      ? NOTHING
      : await writeBack(options.files, options.directories, outcome.changes);
  return { outcome, sha256: module.sha256, deterministic, back, skipped };
}

function everything(paths: readonly string[]): RightsTable {
  return new Map([...paths, "stdin", "stdout", "stderr"].map((path) => [path, KNOWN_RIGHTS]));
}
