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

/** Whether an error says that the disk of the database, or of the files beside it, has no room left. */
export function isDiskFull(thrown: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].some((code) => says(thrown, code, [])) || says(thrown, "53100", [13]);
}

/** SQLSTATE of connections that broke or are refused just now, and of statements that took too long; Node's codes. */
const UNREACHABLE =
  /^(08...|57P0[1-3]|57014|53300|ECONN(REFUSED|RESET)|ETIMEDOUT|EPIPE|ENOTFOUND)$/;
/** What the driver says in words alone. */
const SILENT =
  /^(timeout exceeded when|Query read timeout|Connection terminated|Client .* not queryable)/;

/** Whether an error says that the database does not answer: asked again later it may. */
export function isUnreachable(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { code, message } = thrown as Error & { code?: unknown };
  return typeof code === "string" ? UNREACHABLE.test(code) : SILENT.test(message);
}

function says(thrown: unknown, state: string, codes: readonly number[]): boolean {
  if (typeof thrown !== "object" || thrown === null) return false;
  const { code, errcode } = thrown as { code?: unknown; errcode?: unknown };
  return code === state || (typeof errcode === "number" && codes.includes(errcode));
}
