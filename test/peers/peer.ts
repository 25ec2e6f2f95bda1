// Optional peers: real programs from Debian's packages that tests speak with. Where one is not installed its tests are
// skipped with the reason; where peers are required, as in CI, they fail.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Directories that a user's PATH often lacks. */
const MORE = ["/usr/sbin", "/sbin", "/usr/local/sbin"];

/** The full path of a program, or undefined. */
export function findProgram(name: string, more: readonly string[] = []): string | undefined {
  const directories = [...(process.env["PATH"] ?? "").split(delimiter), ...MORE, ...more];
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

/**
 * Why tests with a peer are skipped; false when they run.
 * @param programs every one that the peer needs
 * @throws when peers are required and one is missing
 */
export function skipWithout(
  peer: string,
  programs: readonly (string | undefined)[],
): string | false {
  if (programs.every((path) => path !== undefined)) return false;
  if (process.env["HOLDFAST_PEERS"] === "required") throw new Error(`${peer} is not installed`);
  return `${peer} is not installed`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
