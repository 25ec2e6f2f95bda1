// What holds before any use case: the keep is not ending, the policy has not ended, those who must consent have.
import { type Decision, normalizePath } from "@holdfast/policy";
import { KeepError } from "../errors.ts";
import type { KeepState } from "../state/keep-state.ts";

/** @throws KeepError KEEP_ENDING, POLICY_EXPIRED */
export function demandOpen(keep: KeepState): void {
  if (keep.ending) throw new KeepError("KEEP_ENDING", "the keep is shutting down");
  const { certificateExpiry } = keep.policy;
  if (keep.clock.now() > certificateExpiry) {
    throw new KeepError("POLICY_EXPIRED", `the policy ended at ${certificateExpiry.toISOString()}`);
  }
}

/** For what puts data in or works with it: @throws KeepError as `demandOpen`, and CONSENT_MISSING */
export function demandConsent(keep: KeepState): void {
  demandOpen(keep);
  keep.consent.demand();
}

/** @throws KeepError RIGHTS_MISSING naming what is missing */
export function demandRight({ allowed, missing }: Decision, path: string): void {
  if (allowed) return;
  throw new KeepError(
    "RIGHTS_MISSING",
    `the policy does not let this identity do that to ${path}; missing: ${missing.join(", ")}`,
  );
}

/** A path of a request in its one spelling, at the edge, before anything is looked up by it. */
export function edgePath(untrusted: string): string {
  return normalizePath(untrusted);
}
