// The files of a function: what its definition names, what keeps fetch themselves, what is stored, what is missing.
import {
  type FunctionPolicy,
  inputsOf,
  normalizePath,
  type PolicyInput,
  parseFunctionPolicy,
  priorityOf,
} from "@holdfast/policy";
import type { FunctionFileRecord, StoredRevision } from "@holdfast/store";

/** The two kinds of files a function has. */
export type FileKind = "program" | "data_file";

/** A file that a definition names. */
export interface DefinedFile {
  readonly path: string;
  readonly kind: FileKind;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly priority: number;
  /** How keeps come by it themselves; absent when it is stored here and loaded. */
  readonly input?: PolicyInput;
}

/** Programs are loaded before any data, whatever its priority. */
const PROGRAM_PRIORITY = -(2 ** 32);

/** What a stored definition says. */
export function definitionOf({ definition }: Pick<StoredRevision, "definition">): FunctionPolicy {
  return parseFunctionPolicy(JSON.parse(definition));
}

/** All files a definition names, in the order they are loaded. */
export function definedFiles(policy: FunctionPolicy): DefinedFile[] {
  const programs = policy.programs.map(({ program_file_name: path, pi_hash: sha256 }) => ({
    path,
    kind: "program" as const,
    sha256,
    priority: PROGRAM_PRIORITY,
  }));
  const data = policy.data_files.map((file) => ({
    path: file.data_file,
    kind: "data_file" as const,
    sha256: file.pi_hash,
    priority: priorityOf(file),
  }));
  const inputs = new Map(inputsOf(policy).map((input) => [input.path, input]));
  return [...programs, ...data]
    .map((file) => {
      const input = inputs.get(normalizePath(file.path));
      return input === undefined ? file : { ...file, input };
    })
    .sort((left, right) => left.priority - right.priority);
}

/** The defined file of a kind under a path, whatever its spelling. */
export function findDefined(
  policy: FunctionPolicy,
  kind: FileKind,
  path: string,
): DefinedFile | undefined {
  const wanted = normalizePath(path);
  return definedFiles(policy).find(
    (file) => file.kind === kind && normalizePath(file.path) === wanted,
  );
}

/** Defined files that are to be stored, and are not. */
export function missingFiles(
  policy: FunctionPolicy,
  stored: readonly FunctionFileRecord[],
): DefinedFile[] {
  const paths = new Set(stored.map(({ path }) => path));
  return definedFiles(policy).filter(({ path, input }) => input === undefined && !paths.has(path));
}
