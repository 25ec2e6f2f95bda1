// A verdict is a value that lists every check with its outcome, never a boolean.

/** What became of one check. */
export type Outcome = "passed" | "failed" | "not performed";

/** One check of a verification. */
export interface Check {
  /** Permanent, dotted: `path.signatures`. */
  readonly name: string;
  readonly outcome: Outcome;
  /** A sentence for people: what was found, what was expected, or why it was not performed. */
  readonly detail: string;
}

/** A check that passed when the condition holds, and failed when not. */
export function check(name: string, holds: boolean, detail: string): Check {
  return { name, outcome: holds ? "passed" : "failed", detail };
}

/** A check that could not be made. */
export function notPerformed(name: string, detail: string): Check {
  return { name, outcome: "not performed", detail };
}

/** Whether every check passed, and there was one at all: what was not performed does not affirm. */
export function affirmed(checks: readonly Check[]): boolean {
  return checks.length > 0 && checks.every(({ outcome }) => outcome === "passed");
}

/** The checks that did not pass. */
export function unmet(checks: readonly Check[]): readonly Check[] {
  return checks.filter(({ outcome }) => outcome !== "passed");
}
