// Makes a program ready as soon as it is there, so that its first run starts at once.
import type { KeepState } from "../state/keep-state.ts";

/** Admits and compiles a file that is a program of the policy; what is wrong with it is said when it is started. */
export function prepareProgram(keep: KeepState, path: string): void {
  const sha256 = keep.digests.get(path);
  if (sha256 === undefined || !keep.policy.programs.some((program) => program.path === path))
    return;
  keep.runner.prepare();
  keep.programs.prepare(sha256, keep.store.content(path));
}
