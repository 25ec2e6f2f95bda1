// What follows when a program has ended: what it wrote is committed, whole or not at all, and a receipt is signed.
import type { PolicyProgram } from "@holdfast/policy";
import { type RunOutcome, type Snapshot, type StoredNode, WasiError } from "@holdfast/wasi";
import type { KeepState } from "../state/keep-state.ts";
import type { RunRecord } from "../state/run-record.ts";
import { isWithinRights } from "./within-rights.ts";
import { writeReceipt } from "./write-receipt.ts";

/** A run as it was started. */
export interface RunStart {
  readonly record: RunRecord;
  readonly program: PolicyProgram;
  readonly programSha256: string;
  readonly snapshot: Snapshot;
  /** Digests of the files in the snapshot, as far as they are known. */
  readonly digests: ReadonlyMap<string, string>;
  readonly stdin: Uint8Array;
}

/** Commits a run and settles its record. */
export async function endRun(keep: KeepState, start: RunStart, ended: RunOutcome): Promise<void> {
  const { record } = start;
  const { changes, ...outcome } = ended;
  const fault = changes === undefined ? undefined : await commit(keep, start, ended);
  const written = fault === undefined ? (changes?.written ?? []) : [];
  const end = {
    // The changes hold whole files: they are not kept with the record.
    outcome: fault === undefined ? outcome : { ...outcome, state: "failed" as const, ...fault },
    at: keep.clock.now(),
  };
  record.settle(end, (at) => writeReceipt(keep, start, at, written));
  keep.log.info("run-ended", {
    run: record.id,
    state: end.outcome.state,
    duration_ms: Math.round(end.outcome.durationMs),
  });
}

/** Settles a run whose end could not be brought about: nothing of it stands. */
export function abandonRun(keep: KeepState, record: RunRecord, thrown: unknown): void {
  keep.log.error("run-abandoned", {
    run: record.id,
    code: thrown instanceof Error ? thrown.name : "unknown",
  });
  if (record.end !== undefined) return;
  const outcome = {
    state: "failed" as const,
    reason: "KEEP_INTERNAL",
    durationMs: 0,
    peakMemoryBytes: 0,
    bytesRead: 0,
    bytesWritten: 0,
    inputs: [],
    outputs: [],
  };
  record.settle({ outcome, at: keep.clock.now() }, () => Promise.reject(thrown));
}

type Digests = Map<string, string>;

interface Fault {
  readonly reason: string;
}

async function commit(
  keep: KeepState,
  { program }: RunStart,
  { changes }: RunOutcome,
): Promise<Fault | undefined> {
  if (changes === undefined) return undefined;
  if (!isWithinRights(program.rights, changes)) return { reason: "RIGHTS_MISSING" };
  const pinned = await digestsOf(
    keep,
    changes.written.filter(({ path }) => keep.policy.fileHashes.has(path)),
  );
  for (const [path, sha256] of pinned) {
    if (keep.policy.fileHashes.get(path) !== sha256) return { reason: "FILE_PIN_MISMATCH" };
  }
  // A pinned path that became a directory or a link is another content too.
  const replaced = changes.written.some(
    ({ path, kind }) => kind !== "file" && keep.policy.fileHashes.has(path),
  );
  if (replaced) return { reason: "FILE_PIN_MISMATCH" };
  try {
    keep.store.apply(changes);
  } catch (thrown) {
    if (!(thrown instanceof WasiError)) throw thrown;
    return { reason: thrown.code };
  }
  for (const path of changes.removed) forget(keep.digests, path);
  for (const { path } of changes.written) keep.digests.delete(path);
  for (const [path, sha256] of pinned) keep.digests.set(path, sha256);
  return undefined;
}

async function digestsOf(keep: KeepState, nodes: readonly StoredNode[]): Promise<Digests> {
  const digests: Digests = new Map();
  for (const node of nodes) {
    if (node.kind === "file") digests.set(node.path, await keep.hashing.digestOf(node.content));
  }
  return digests;
}

/** A removed directory takes what was in it along. */
function forget(digests: Digests, path: string): void {
  digests.delete(path);
  for (const known of digests.keys()) if (known.startsWith(`${path}/`)) digests.delete(known);
}
