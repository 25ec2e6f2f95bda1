// How engines say that a row breaks a constraint, or can't be written at all: SQLite's extended result codes, PostgreSQL's SQLSTATE.

/** Whether an error is a broken unique or primary key. */
export function isUniqueViolation(thrown: unknown): boolean {
  return says(thrown, "23505", [2067, 1555]);
}

/** Whether an error is a reference to a row that is not there. */
export function isReferenceViolation(thrown: unknown): boolean {
  return says(thrown, "23503", [787]);
}

/** Whether an error is a text that the engine can't hold: PostgreSQL has no NUL in any. */
export function isUnstorableText(thrown: unknown): boolean {
  return says(thrown, "22021", []);
}

function says(thrown: unknown, state: string, codes: readonly number[]): boolean {
  if (typeof thrown !== "object" || thrown === null) return false;
  const { code, errcode } = thrown as { code?: unknown; errcode?: unknown };
  return code === state || (typeof errcode === "number" && codes.includes(errcode));
}
