// A way to spoil evidence in exactly one thing, or to ask for something it does not have.

/** One defect. */
export interface Defect<Changes, Request> {
  readonly name: string;
  /** The checks that must fail, and no other. */
  readonly fails: readonly string[];
  readonly changes?: Changes;
  readonly request?: Partial<Request>;
}

/** A defect on one line: name, failing checks, changes, and what is asked for instead. */
export type DefectRow<Changes, Request> = readonly [
  name: string,
  fails: readonly string[],
  changes: Changes,
  request?: Partial<Request>,
];

/** Defects of their rows. */
export function defectsOf<Changes, Request>(
  rows: readonly DefectRow<Changes, Request>[],
): Defect<Changes, Request>[] {
  return rows.map(([name, fails, changes, request]) => ({
    name,
    fails,
    changes,
    ...(request === undefined ? {} : { request }),
  }));
}
