// First thing in every worker that runs programs: whatever of Node's permissions the keep itself still has is given
// up here, and the memory of files that were replaced since is let go. A worker makes little garbage of its own, so
// nothing would have it collected, and shared memory lives as long as the last thread that once saw it.
import { parentPort } from "node:worker_threads";

/** Bytes of files seen after which the worker collects. */
const MOST_SEEN_BYTES = 64 * 1024 * 1024;

interface SeenJob {
  readonly snapshot?: {
    readonly nodes: readonly { readonly content?: { readonly size: number } }[];
  };
}

for (const scope of ["net", "fs", "worker", "child"]) process.permission?.drop(scope);

let seen = 0;
parentPort?.on("message", ({ snapshot }: SeenJob) => {
  for (const { content } of snapshot?.nodes ?? []) seen += content?.size ?? 0;
  if (seen <= MOST_SEEN_BYTES) return;
  seen = 0;
  // When the job that this message brings is done.
  setImmediate(() => globalThis.gc?.());
});
