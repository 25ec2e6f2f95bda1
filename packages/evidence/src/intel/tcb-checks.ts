// Checks of the platform's security version: the level it reaches, its status, and what the relying party demands of both.
import { type Check, check, notPerformed, toHex } from "@holdfast/core";
import type { TcbEvaluation } from "./evaluate-tcb.ts";
import type { PckExtension } from "./pck.ts";
import type { IntelPolicy } from "./policy.ts";
import { isOutOfDate, type TcbStatus } from "./tcb-status.ts";

const DAY = 24 * 60 * 60 * 1000;

/** Level and status. */
export function tcbChecks(
  evaluation: TcbEvaluation | string | undefined,
  policy: IntelPolicy,
  at: Date,
): Check[] {
  if (evaluation === undefined) {
    const why = "no verified TCB information and QE identity";
    return [notPerformed("tcb.level", why), notPerformed("tcb.status", why)];
  }
  if (typeof evaluation === "string") {
    return [
      check("tcb.level", false, evaluation),
      notPerformed("tcb.status", "the platform reaches no level"),
    ];
  }
  const { levelStatus, moduleStatus, qeStatus, tcbDate } = evaluation;
  const parts = [
    `platform ${levelStatus}`,
    ...(moduleStatus === undefined ? [] : [`module ${moduleStatus}`]),
    `quoting enclave ${qeStatus}`,
  ];
  return [
    check("tcb.level", true, `level of ${tcbDate.toISOString()}: ${parts.join(", ")}`),
    statusCheck(evaluation, policy, at),
  ];
}

/** Demands of the relying party, a check for each that is made. */
export function tcbDemandChecks(
  evaluation: TcbEvaluation | string | undefined,
  facts: {
    readonly pck: PckExtension | undefined;
    readonly evaluationDataNumber: number | undefined;
  },
  policy: IntelPolicy,
): Check[] {
  const known = typeof evaluation === "object" ? evaluation : undefined;
  const { minimumTcbDate, minimumEvaluationDataNumber: minimum } = policy;
  const { allowedAdvisories, deniedAdvisories, platformIds } = policy;
  const { evaluationDataNumber: number, pck } = facts;
  return [
    ...demand("tcb.minimum-date", minimumTcbDate, known, (least, { tcbDate }) => [
      tcbDate >= least,
      `level of ${tcbDate.toISOString()}, at least ${least.toISOString()} expected`,
    ]),
    ...demand("tcb.minimum-evaluation", minimum, number, (least, found) => [
      found >= least,
      `evaluation data number ${found}, at least ${least} expected`,
    ]),
    ...demand("tcb.denied-advisories", deniedAdvisories, known, (denied, { advisoryIds }) => {
      const hit = advisoryIds.filter((id) => denied.includes(id));
      return [hit.length === 0, hit.length === 0 ? "none applies" : `${hit.join(", ")} apply`];
    }),
    ...demand("tcb.allowed-advisories", allowedAdvisories, known, (allowed, { advisoryIds }) => {
      const other = advisoryIds.filter((id) => !allowed.includes(id));
      return [
        other.length === 0,
        other.length === 0 ? "no other" : `${other.join(", ")} apply too`,
      ];
    }),
    ...demand("pck.platform-list", platformIds, pck, (accepted, { ppid, platformInstanceId }) => {
      const ids = [ppid, platformInstanceId ?? ppid].map(toHex);
      const listed = accepted.some((id) => ids.includes(id.toLowerCase()));
      return [listed, `platform ${ids.at(-1)} is ${listed ? "" : "not "}listed`];
    }),
  ];
}

function statusCheck(evaluation: TcbEvaluation, policy: IntelPolicy, at: Date): Check {
  const name = "tcb.status";
  const { status, newestTcbDate } = evaluation;
  if (status === "Revoked") return check(name, false, "Revoked: Intel withdrew trust");
  const accepted: readonly TcbStatus[] = policy.tcbStatuses ?? ["UpToDate"];
  if (accepted.includes(status)) return check(name, true, status);
  const { graceDays } = policy;
  if (graceDays !== undefined && isOutOfDate(status)) {
    const end = new Date(newestTcbDate.getTime() + graceDays * DAY);
    return check(name, at <= end, `${status}; the time to update ends at ${end.toISOString()}`);
  }
  return check(name, false, `${status}; ${accepted.join(" or ")} expected: update the platform`);
}

function demand<Wanted, Known>(
  name: string,
  wanted: Wanted | undefined,
  known: Known | undefined,
  judge: (wanted: Wanted, known: Known) => readonly [boolean, string],
): Check[] {
  if (wanted === undefined) return [];
  if (known === undefined) return [notPerformed(name, "nothing to compare with")];
  const [passes, detail] = judge(wanted, known);
  return [check(name, passes, detail)];
}
