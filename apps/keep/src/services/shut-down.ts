// Ends the keep.
import type { PolicyIdentity } from "@holdfast/policy";
import { KeepError } from "../errors.ts";
import type { KeepState } from "../state/keep-state.ts";

/**
 * Marks the keep as ending and returns what ends it, for when the answer has left.
 * @throws KeepError SHUTDOWN_REFUSED when the policy leaves it to others
 */
export function shutDown(keep: KeepState, caller: PolicyIdentity): () => void {
  const { shutdown } = keep.policy.terms;
  if (shutdown !== undefined && !shutdown.includes(caller.id)) {
    throw new KeepError("SHUTDOWN_REFUSED", "the policy lets other identities shut this keep down");
  }
  keep.ending = true;
  return () => keep.end(`shut down by identity ${caller.id}`);
}
