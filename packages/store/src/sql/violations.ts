// How engines say that a row breaks a unique key.

/** Whether an error is a broken unique or primary key: SQLite's result codes, PostgreSQL's SQLSTATE 23505. */
export function isUniqueViolation(thrown: unknown): boolean {
  if (typeof thrown !== "object" || thrown === null) return false;
  const { code, errcode } = thrown as { code?: unknown; errcode?: unknown };
  return code === "23505" || errcode === 2067 || errcode === 1555;
}
