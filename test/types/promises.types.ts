// Type tests: this file only has to compile. Lines under an expectation must not compile without it; what they say is
// a promise to callers that the compiler keeps.
import type { ChannelErrorCode, KeepVerdict } from "@holdfast/channel";
import type { Check, HoldfastError, Outcome } from "@holdfast/core";
import type { Appraisal } from "@holdfast/evidence";
import type { Policy, PolicyErrorCode, rightsAt } from "@holdfast/policy";
import type { AdmittedModule, RunOutcome } from "@holdfast/wasi";

/** True only when the two types are assignable to each other. */
type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : false) : false;
const holds = <Claim extends true>(_claim?: Claim): void => undefined;

export function verdictsAreValues(verdict: KeepVerdict, appraisal: Appraisal<object>): void {
  holds<Same<Outcome, "passed" | "failed" | "not performed">>();
  holds<Same<KeepVerdict["checks"], readonly Check[]>>();
  // @ts-expect-error a verdict does not change after it was given
  verdict.affirmed = true;
  // @ts-expect-error nor does an appraisal
  appraisal.verdict = "affirmed";
  // @ts-expect-error checks can't be added to a verdict
  verdict.checks.push({ name: "x", outcome: "passed", detail: "" });
}

export function policiesDoNotChange(policy: Policy): void {
  // @ts-expect-error the text is what the hash is over
  policy.text = "";
  // @ts-expect-error rights are read-only tables
  policy.identities[0]?.rights.set("/output", 0);
  // No entry is no right: callers must handle it.
  holds<Same<ReturnType<typeof rightsAt>, number | undefined>>();
}

export function codesAreClosedSets(error: HoldfastError): void {
  holds<Same<HoldfastError["code"], string>>();
  const path: PolicyErrorCode = "PATH_ESCAPE";
  // @ts-expect-error there is no such code
  const unknown: ChannelErrorCode = "CHANNEL_FINE";
  void [error, path, unknown];
}

export function endingsAreNamed(outcome: RunOutcome, module: AdmittedModule): void {
  holds<Same<RunOutcome["state"], "exited" | "trapped" | "cancelled" | "limit" | "failed">>();
  // @ts-expect-error a program that was ended has no exit code
  const code: number = outcome.exitCode;
  // @ts-expect-error an admitted module is what was measured
  module.sha256 = "";
  void code;
}
