// Options that name a function's files.
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { type Assignment, collectAssignments } from "../keep/assignment.ts";
import type { FunctionFiles, OnStored } from "../services/register-function.ts";
import { formatBytes } from "../terminal/progress.ts";

/** What a person named. */
export interface FileOptions {
  readonly program?: readonly Assignment[];
  readonly data?: readonly Assignment[];
}

/** Adds the options. */
export function withFiles(command: Command): Command {
  return command
    .option("--program <name=path>", "a program file; repeat for more", collectAssignments)
    .option("--data <name=path>", "a data file; repeat for more", collectAssignments);
}

/** Tells of each file that was stored. */
export function storedLine({ terminal }: Pick<Context, "terminal">): OnStored {
  return (kind, { name }, bytes) => terminal.line(`${kind} ${name} stored, ${formatBytes(bytes)}`);
}

/** The files by kind. */
export function filesOf({ program, data }: FileOptions): FunctionFiles {
  return { programs: program ?? [], data: data ?? [] };
}
