// Paths are normalised once, at the edge, before any rights or digest look-up. Unlike Veracruz, `..` is refused:
// there it escapes rights and hash pins.
import { PolicyError } from "./errors.ts";

/** Names of the three streams; they are not files and have no slash. */
export const STREAMS = ["stdin", "stdout", "stderr"] as const;

/** The longest path, in UTF-8 bytes, and the most names in one. */
export const MAXIMUM_PATH_BYTES = 1024;
export const MAXIMUM_PATH_NAMES = 64;
const MAXIMUM_NAME_BYTES = 255;

// Control characters, NUL first of all, end names in other programs and forge lines in logs; line separators and marks
// that turn the direction of writing show a reader another path than is meant.
const DECEPTIVE = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** Whether a name or path has characters that show a reader, a terminal or a log something else than it is. */
export function isDeceptive(text: string): boolean {
  return DECEPTIVE.test(text) || !text.isWellFormed();
}

/** Whether a path is the name of a stream. */
export function isStream(path: string): boolean {
  return (STREAMS as readonly string[]).includes(path);
}

/**
 * The one spelling of an absolute path, or the name of a stream. Repeated slashes, `.` and a slash at the end vanish,
 * so that `/input/`, `//input` and `/./input` are the same entry.
 * @throws PolicyError PATH_EMPTY, PATH_RELATIVE, PATH_ESCAPE for `..`, PATH_CHARACTER for control characters and
 *   broken surrogates, PATH_TOO_LONG
 */
export function normalizePath(untrusted: string): string {
  if (isStream(untrusted)) return untrusted;
  if (untrusted === "") throw new PolicyError("PATH_EMPTY", "path is empty");
  if (untrusted.length > MAXIMUM_PATH_BYTES) throw tooLong();
  if (isDeceptive(untrusted)) {
    throw new PolicyError("PATH_CHARACTER", "path has a control character or broken Unicode");
  }
  if (!untrusted.startsWith("/")) {
    throw new PolicyError("PATH_RELATIVE", `path must start with a slash: ${untrusted}`);
  }
  const names = untrusted.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..")) throw new PolicyError("PATH_ESCAPE", "path has a .. in it");
  if (names.length > MAXIMUM_PATH_NAMES) throw tooLong();
  const encoder = new TextEncoder();
  const lengths = names.map((name) => encoder.encode(name).length);
  const total = lengths.reduce((sum, length) => sum + length + 1, 0);
  if (total > MAXIMUM_PATH_BYTES || lengths.some((length) => length > MAXIMUM_NAME_BYTES)) {
    throw tooLong();
  }
  return `/${names.join("/")}`;
}

/** A path as people type it: a missing leading slash is added, save for streams, as the Veracruz client does. */
export function withLeadingSlash(path: string): string {
  return path.startsWith("/") || isStream(path) ? path : `/${path}`;
}

/** A normalised path and its ancestors, nearest first, ending with the root; a stream has none. */
export function ancestors(path: string): string[] {
  if (!path.startsWith("/")) return [path];
  const all: string[] = [];
  for (let at = path; at !== "/"; at = at.slice(0, at.lastIndexOf("/")) || "/") all.push(at);
  return [...all, "/"];
}

function tooLong(): PolicyError {
  return new PolicyError(
    "PATH_TOO_LONG",
    `path is over ${MAXIMUM_PATH_BYTES} bytes, ${MAXIMUM_PATH_NAMES} names or ${MAXIMUM_NAME_BYTES} bytes a name`,
  );
}
