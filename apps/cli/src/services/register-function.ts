// Registration: the definition with the hashes of the files at hand, then the files themselves.
import { createReadStream } from "node:fs";
import type { CcfaasClient, FunctionBody, UploadOptions } from "@holdfast/contract";
import { normalizePath, parseFunctionPolicy, priorityOf } from "@holdfast/policy";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { hashFile, sizeOfFile } from "../files.ts";
import type { Assignment } from "../keep/assignment.ts";

/** Files that belong to a function. */
export interface FunctionFiles {
  readonly programs: readonly Assignment[];
  readonly data: readonly Assignment[];
}

/** Told after each file that was stored. */
export type OnStored = (kind: "program" | "data file", file: Assignment, bytes: number) => void;

/**
 * Fills in `pi_hash` from the files at hand and reads the whole as a function policy.
 * @throws CliError CLI_INPUT for a file the definition does not name; PolicyError with all faults
 */
export async function fillHashes(untrusted: unknown, files: FunctionFiles): Promise<FunctionBody> {
  const draft = structuredClone(untrusted) as {
    programs?: { program_file_name?: unknown; pi_hash?: unknown }[];
    data_files?: { data_file?: unknown; pi_hash?: unknown }[];
  };
  for (const { name, path } of files.programs) {
    const entry = find(draft?.programs, ({ program_file_name }) => spells(program_file_name, name));
    if (entry === undefined) throw unknownFile("program", name);
    entry.pi_hash = await hashFile(path, "program");
  }
  for (const { name, path } of files.data) {
    const entry = find(draft?.data_files, ({ data_file }) => spells(data_file, name));
    if (entry === undefined) throw unknownFile("data file", name);
    entry.pi_hash = await hashFile(path, "data file");
  }
  const policy = parseFunctionPolicy(draft);
  return { ...policy, data_files: [...policy.data_files] } as unknown as FunctionBody;
}

/** Sends one file of a function. */
export type Upload = (
  kind: "program" | "data file",
  name: string,
  source: AsyncIterable<Uint8Array>,
  options: UploadOptions,
) => Promise<unknown>;

/** Sends files of the function itself. */
export function uploaderOf(ccfaas: CcfaasClient, name: string): Upload {
  return (kind, path, source, options) =>
    kind === "program"
      ? ccfaas.uploadProgram(name, path, source, options)
      : ccfaas.uploadDataFile(name, path, source, options);
}

/** Uploads the files, data in order of priority. */
export async function uploadFiles(
  { terminal, interrupted }: Pick<Context, "terminal" | "interrupted">,
  definition: FunctionBody,
  files: FunctionFiles,
  { upload, onStored }: { upload: Upload; onStored: OnStored },
): Promise<void> {
  const priorities = new Map(
    (definition.data_files ?? []).map((file) => [normalizePath(file.data_file), priorityOf(file)]),
  );
  const priority = ({ name }: Assignment): number => priorities.get(name) ?? 0;
  const data = [...files.data].sort((left, right) => priority(left) - priority(right));
  const all = [
    ...files.programs.map((file) => ({ kind: "program", file }) as const),
    ...data.map((file) => ({ kind: "data file", file }) as const),
  ];
  for (const { kind, file } of all) {
    const size = await sizeOfFile(file.path, kind);
    const progress = terminal.progress(`uploading ${file.name}`, size);
    const source = createReadStream(file.path, { highWaterMark: 1 << 20 });
    try {
      await upload(kind, spelledIn(definition, file.name), source, {
        onProgress: (bytes) => progress.update(bytes),
        signal: interrupted,
      });
    } finally {
      progress.end();
      source.destroy();
    }
    onStored(kind, file, size);
  }
}

/** The service looks files up by the definition's own spelling. */
function spelledIn(definition: FunctionBody, name: string): string {
  const names = [
    ...definition.programs.map(({ program_file_name }) => program_file_name),
    ...(definition.data_files ?? []).map(({ data_file }) => data_file),
  ];
  return names.find((each) => spells(each, name)) ?? name;
}

function find<T>(list: T[] | undefined, matches: (entry: T) => boolean): T | undefined {
  return Array.isArray(list)
    ? list.find((entry) => typeof entry === "object" && entry !== null && matches(entry))
    : undefined;
}

function spells(untrusted: unknown, name: string): boolean {
  try {
    return typeof untrusted === "string" && normalizePath(untrusted) === name;
  } catch {
    // A path at fault is named by the policy's reader.
    return false;
  }
}

function unknownFile(kind: string, name: string): CliError {
  return new CliError("CLI_INPUT", `the function has no ${kind} ${name}`, {
    hint: "the name before = must stand in the function's definition",
  });
}
