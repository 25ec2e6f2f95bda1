// Reference values: named, expiring sets of what may run, compared with the claims that evidence proved. A set that has
// expired affirms nothing, and where sets for a type of evidence exist, evidence outside them is refused.
import { type Check, check, notPerformed } from "@holdfast/core";

/** One thing that may run. */
export interface ReferenceValue {
  readonly name: string;
  /** For each claim the accepted values, as texts; a dot leads into a member: `nonZeroPcrs.0`. All must match. */
  readonly claims: Readonly<Record<string, readonly string[]>>;
}

/** A set of reference values for one type of evidence. */
export interface ReferenceSet {
  readonly name: string;
  /** Type of evidence: `nitro`. */
  readonly type: string;
  readonly notAfter: Date;
  readonly values: readonly ReferenceValue[];
}

/** What a comparison found. */
export interface ReferenceMatch {
  readonly check: Check;
  /** `set/value` of the match. */
  readonly matched?: string;
}

/** The name of the check. */
export const REFERENCE_CHECK = "reference.values";

/**
 * Compares claims with the sets for their type of evidence.
 * @param claims what authentic evidence says; undefined when it proved nothing
 */
export function matchReferenceValues(
  sets: readonly ReferenceSet[],
  type: string,
  claims: object | undefined,
  at: Date,
): ReferenceMatch {
  const fitting = sets.filter((set) => set.type === type);
  if (fitting.length === 0) {
    return { check: notPerformed(REFERENCE_CHECK, `no reference values for evidence of ${type}`) };
  }
  if (claims === undefined) {
    return { check: notPerformed(REFERENCE_CHECK, "the evidence proves nothing") };
  }
  const live = fitting.filter(({ notAfter }) => at <= notAfter);
  for (const set of live) {
    const value = set.values.find((each) => isMatch(each, claims));
    if (value !== undefined) {
      const matched = `${set.name}/${value.name}`;
      return { check: check(REFERENCE_CHECK, true, `equals ${matched}`), matched };
    }
  }
  const expired = fitting.length - live.length;
  const tail = expired === 0 ? "" : `; ${expired} sets have expired`;
  return {
    check: check(REFERENCE_CHECK, false, `none of ${live.length} sets has these values${tail}`),
  };
}

function isMatch({ claims: wanted }: ReferenceValue, claims: object): boolean {
  const entries = Object.entries(wanted);
  // A value that names no claim would match everything.
  return (
    entries.length > 0 &&
    entries.every(([path, accepted]) => {
      const found = claimAt(claims, path.split("."));
      return found !== undefined && accepted.includes(found);
    })
  );
}

function claimAt(from: unknown, [name, ...rest]: readonly string[]): string | undefined {
  if (name === undefined) {
    return typeof from === "string" || typeof from === "number" || typeof from === "boolean"
      ? String(from)
      : undefined;
  }
  if (typeof from !== "object" || from === null || !Object.hasOwn(from, name)) return undefined;
  return claimAt((from as Record<string, unknown>)[name], rest);
}
