// Everything the program left in a directory of the keep, to a folder here.
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { KeepClient } from "@holdfast/contract";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { fetchFile, type Moved } from "../keep/transfer.ts";

/**
 * Fetches every file of a directory.
 * @throws CliError CLI_SERVICE when a name would lead out of the folder
 */
export async function fetchDirectory(
  context: Context,
  keep: KeepClient,
  directory: string,
  folder: string,
): Promise<Moved[]> {
  const { entries } = await keep.list(directory);
  await mkdir(folder, { recursive: true });
  const moved: Moved[] = [];
  for (const { name } of entries.filter(({ kind }) => kind === "file").sort(byName)) {
    // The keep is proven, the program in it is not: its names must not choose places here.
    if (name !== basename(name) || name === "." || name === ".." || name.includes("\\")) {
      throw new CliError(
        "CLI_SERVICE",
        `the keep lists a name that is no file name: ${JSON.stringify(name)}`,
      );
    }
    const file = { name: `${directory.replace(/\/$/, "")}/${name}`, path: join(folder, name) };
    moved.push(await fetchFile(context, keep, file, () => Promise.resolve()));
  }
  return moved;
}

function byName({ name: left }: { name: string }, { name: right }: { name: string }): number {
  return left.localeCompare(right, "en", { numeric: true });
}
