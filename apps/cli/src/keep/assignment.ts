// `[NAME=]PATH` as veracruz-client takes it: what a file is called in the keep, and where it is here.
import { normalizePath, PolicyError, withLeadingSlash } from "@holdfast/policy";
import { InvalidArgumentError } from "commander";

/** A file in the keep and its place outside. `-` is a standard stream. */
export interface Assignment {
  /** Normalised path or stream name in the keep. */
  readonly name: string;
  readonly path: string;
}

/** A list of assignments: comma separated, and the option may be repeated. */
export function collectAssignments(
  text: string,
  earlier: readonly Assignment[] | undefined,
): readonly Assignment[] {
  return [...(earlier ?? []), ...text.split(",").map(parseAssignment)];
}

/** A list of paths in the keep. */
export function collectKeepPaths(
  text: string,
  earlier: readonly string[] | undefined,
): readonly string[] {
  return [...(earlier ?? []), ...text.split(",").map(parseKeepPath)];
}

/**
 * Reads one assignment.
 * @throws InvalidArgumentError for a name the keep would refuse
 */
export function parseAssignment(text: string): Assignment {
  const at = text.indexOf("=");
  const path = at < 0 ? text : text.slice(at + 1);
  if (path === "") throw new InvalidArgumentError("NAME=PATH is expected; the path is empty.");
  return { name: parseKeepPath(at < 0 ? path : text.slice(0, at)), path };
}

/** A path in the keep; a leading slash is added, as veracruz-client does. */
export function parseKeepPath(text: string): string {
  try {
    return normalizePath(text === "" ? "" : withLeadingSlash(text));
  } catch (thrown) {
    if (!(thrown instanceof PolicyError)) throw thrown;
    throw new InvalidArgumentError(`${thrown.message} (${thrown.code}).`);
  }
}
