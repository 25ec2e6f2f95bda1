// Reads a file, or the newest run's stream by its name, whole or in part.
import { isStream, mayRead, type PolicyIdentity } from "@holdfast/policy";
import { KeepError } from "../errors.ts";
import { CountedRead } from "../state/counted-read.ts";
import type { KeepState } from "../state/keep-state.ts";
import { demandOpen, demandRight, edgePath } from "./gate.ts";
import { storing } from "./incoming-file.ts";

/** A file that may be read, before any byte of it is handed out. */
export interface ReadableFile {
  readonly path: string;
  readonly size: number;
  /** SHA-256 of the whole, when known. */
  readonly sha256: string | undefined;
  /**
   * Counts the read where the policy limits reads, then gives views of the bytes. Whoever returns from it before the first
   * has not read. @throws KeepError READ_LIMIT
   */
  open(range?: { start: number; end: number }): Iterable<Uint8Array>;
}

/**
 * Finds a file for a reader.
 * @throws KeepError RIGHTS_MISSING, FILE_MISSING, FILE_KIND
 */
export function findReadable(
  keep: KeepState,
  caller: PolicyIdentity,
  untrustedPath: string,
): ReadableFile {
  demandOpen(keep);
  const path = edgePath(untrustedPath);
  demandRight(mayRead(caller.rights, path), path);
  return isStream(path) ? readableStream(keep, caller, path) : readableFile(keep, caller, path);
}

function readableFile(keep: KeepState, caller: PolicyIdentity, path: string): ReadableFile {
  const stat = keep.store.stat(path);
  if (stat === undefined) throw new KeepError("FILE_MISSING", `there is no ${path}`);
  if (stat.kind !== "file") throw new KeepError("FILE_KIND", `${path} is a ${stat.kind}`);
  return {
    path,
    size: stat.size,
    sha256: keep.digests.get(path),
    open(range) {
      const giveBack = keep.reads.take(path, caller);
      return new CountedRead(
        storing(() => keep.store.read(path, range)),
        giveBack,
      );
    },
  };
}

function readableStream(keep: KeepState, caller: PolicyIdentity, path: string): ReadableFile {
  const run = keep.runs.newest();
  if (path === "stdin" || run === undefined) {
    throw new KeepError("FILE_MISSING", `there is no ${path} yet`);
  }
  const log = path === "stdout" ? run.stdout : run.stderr;
  if (log.dropped) throw new KeepError("FILE_MISSING", `${path} was let go to make room`);
  const size = log.size;
  return {
    path,
    size,
    sha256: undefined,
    open(range) {
      const giveBack = keep.reads.take(path, caller);
      return new CountedRead(log.read(range?.start ?? 0, range?.end ?? size), giveBack);
    },
  };
}
