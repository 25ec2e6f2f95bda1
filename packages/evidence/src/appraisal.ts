// The result of judging evidence, the same whatever the platform: every check with its outcome, the claims that the
// evidence proved, a trustworthiness vector (draft-ietf-rats-ar4si), and the time within which the verdict holds.
import { type Check, notPerformed } from "@holdfast/core";
import { NO_CLAIMS, type TrustVector } from "./trust-vector.ts";

/** What a verifier decided. `not-judged`: nothing failed, but a check that counts could not be made. */
export type Verdict = "affirmed" | "refused" | "not-judged";

/** Something the verdict rests on besides the evidence: a certificate, a revocation list, TCB information. */
export interface Collateral {
  readonly name: string;
  /** SHA-256 of its bytes, lower-case hexadecimal. */
  readonly sha256: string;
}

/** The outcome of judging one piece of evidence. */
export interface Appraisal<Claims extends object = object> {
  /** Kind of evidence: `nitro`. */
  readonly type: string;
  /** What stands behind it: `aws-nitro`, `simulated-nitro`; `unknown` when no trusted root does. */
  readonly platform: string;
  readonly simulated: boolean;
  readonly verdict: Verdict;
  /** Whether the platform lets somebody look inside; undefined when nobody could tell. */
  readonly debug: boolean | undefined;
  /** Every check there is for this kind of evidence, in order. */
  readonly checks: readonly Check[];
  /** Names of checks that the caller said it does without; they alone may be left out of an affirmed verdict. */
  readonly waived: readonly string[];
  /** What the evidence says; absent unless its signature holds under a trusted root. */
  readonly claims: Claims | undefined;
  readonly trustVector: TrustVector;
  readonly collateral: readonly Collateral[];
  /** Status of the platform's security version, in the vendor's words, where the vendor gives one. */
  readonly tcbStatus: string | undefined;
  readonly advisoryIds: readonly string[];
  /** The time the evidence was judged at. */
  readonly at: Date;
  /** From when until when the verdict would be the same. */
  readonly validFrom: Date | undefined;
  readonly validUntil: Date | undefined;
}

/** What an appraisal is made of; the rest follows from it. */
export type AppraisalParts<Claims extends object> = Pick<
  Appraisal<Claims>,
  "type" | "platform" | "simulated" | "checks" | "at"
> &
  Partial<Omit<Appraisal<Claims>, "verdict">>;

/** An appraisal of its parts; the verdict follows from the checks alone. */
export function appraisalOf<Claims extends object>(
  parts: AppraisalParts<Claims>,
): Appraisal<Claims> {
  const waived = parts.waived ?? [];
  return {
    debug: undefined,
    claims: undefined,
    trustVector: NO_CLAIMS,
    collateral: [],
    tcbStatus: undefined,
    advisoryIds: [],
    validFrom: undefined,
    validUntil: undefined,
    ...parts,
    waived,
    verdict: verdictOf(parts.checks, waived),
  };
}

/** The verdict over checks: one failure refuses; what was not performed does not affirm, unless the caller waived it. */
export function verdictOf(checks: readonly Check[], waived: readonly string[]): Verdict {
  if (checks.some(({ outcome }) => outcome === "failed")) return "refused";
  const open = checks.some(
    ({ name, outcome }) => outcome === "not performed" && !waived.includes(name),
  );
  const passed = checks.some(({ outcome }) => outcome === "passed");
  return passed && !open ? "affirmed" : "not-judged";
}

/** The named checks, none of them performed, for evidence that failed too early. */
export function allNotPerformed(names: readonly string[], why: string): Check[] {
  return names.map((name) => notPerformed(name, why));
}
