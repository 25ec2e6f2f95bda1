// The function (program) policy: what an administrator registers at CCFaaS. Schema and members are the seed's.
import { keepTerms, readHoldfastTerms } from "./holdfast-terms.ts";
import { type Pins, type PolicyInput, readInputs } from "./input-terms.ts";
import {
  type FileRight,
  idPlaces,
  MAXIMUM_FILES,
  MAXIMUM_PROGRAMS,
  pathPlaces,
  pinsOf,
  readFilePath,
  readFileRights,
  readHash,
  refuseDuplicates,
} from "./parts.ts";
import { child, Faults, Shape, type Untrusted } from "./shape.ts";

/** A program of a function, as registered. */
export interface FunctionProgram {
  readonly file_rights: readonly FileRight[];
  readonly id: number;
  /** SHA-256 of the program, 64 hexadecimal digits. */
  readonly pi_hash: string;
  readonly program_file_name: string;
}

/** A data file of a function; lower priority is loaded first, 99 when absent. */
export interface FunctionDataFile {
  readonly data_file: string;
  readonly pi_hash: string;
  readonly priority?: number;
}

/** A function policy. */
export interface FunctionPolicy {
  readonly function: string;
  readonly execution_strategy: string;
  readonly max_memory_mib: number;
  readonly programs: readonly FunctionProgram[];
  readonly data_files: readonly FunctionDataFile[];
  readonly file_rights: readonly FileRight[];
  readonly debug: boolean;
  readonly enable_clock: boolean;
  /** Terms beyond Veracruz, as written; they go into the full policy. */
  readonly holdfast?: Untrusted;
}

/** Memory a policy may ask for, in MiB: a 32-bit address space is the end. */
export const MAXIMUM_MEMORY_MIB = 4096;
const STRATEGIES = ["Interpretation", "JIT"];
const PRIORITY = 99;

/**
 * Reads a function policy.
 * @throws PolicyError POLICY_INVALID with all faults
 */
export function parseFunctionPolicy(value: unknown): FunctionPolicy {
  const shape = new Shape(new Faults());
  const object = shape.object(value, "", {
    required: [
      "function",
      "execution_strategy",
      "max_memory_mib",
      "programs",
      "debug",
      "enable_clock",
      "file_rights",
    ],
    optional: ["data_files", "holdfast"],
  });
  const policy: FunctionPolicy = {
    function: shape.name(object["function"], "/function"),
    execution_strategy: readStrategy(shape, object["execution_strategy"]),
    max_memory_mib: shape.integer(
      object["max_memory_mib"],
      "/max_memory_mib",
      1,
      MAXIMUM_MEMORY_MIB,
    ),
    programs: shape.array(object["programs"], "/programs", MAXIMUM_PROGRAMS, (entry, at) =>
      readProgram(shape, entry, at),
    ),
    data_files: shape.array(object["data_files"], "/data_files", MAXIMUM_FILES, (entry, at) =>
      readDataFile(shape, entry, at),
    ),
    file_rights: readFileRights(shape, object["file_rights"], "/file_rights"),
    debug: shape.boolean(object["debug"], "/debug"),
    enable_clock: shape.boolean(object["enable_clock"], "/enable_clock"),
    ...keepTerms(object),
  };
  // Identities come with each user policy: who is named in the terms is judged there.
  readHoldfastTerms(shape, object["holdfast"], {
    programs: policy.programs.map(({ program_file_name }) => program_file_name),
    pins: pinsIn(policy),
  });
  refuseDuplicates(shape, idPlaces(object["programs"], "/programs"), "ID_DUPLICATE");
  refuseDuplicates(
    shape,
    [
      ...pathPlaces(object["programs"], "/programs", "program_file_name"),
      ...pathPlaces(object["data_files"], "/data_files", "data_file"),
    ],
    "FILE_DUPLICATE",
  );
  shape.faults.settle("function policy");
  return policy;
}

/** Files of a function that keeps fetch themselves: nobody loads them. */
export function inputsOf(policy: FunctionPolicy): PolicyInput[] {
  const shape = new Shape(new Faults());
  return readInputs(shape, policy.holdfast?.["inputs"], "/holdfast/inputs", pinsIn(policy));
}

/** Priority of a data file; lower is loaded first. */
export function priorityOf(file: FunctionDataFile): number {
  return file.priority ?? PRIORITY;
}

/** The execution strategy, one of the two that exist. */
export function readStrategy(shape: Shape, value: unknown): string {
  const strategy = shape.text(value, "/execution_strategy", { maximum: 64 });
  if (strategy !== "" && !STRATEGIES.includes(strategy)) {
    shape.faults.add(
      "STRATEGY_UNKNOWN",
      "/execution_strategy",
      `${STRATEGIES.join(" or ")} is expected`,
    );
  }
  return strategy;
}

function pinsIn({ programs, data_files }: FunctionPolicy): Pins {
  return pinsOf([
    ...programs.map(({ program_file_name: path, pi_hash: hash }) => ({ path, hash })),
    ...data_files.map(({ data_file: path, pi_hash: hash }) => ({ path, hash })),
  ]);
}

function readProgram(shape: Shape, value: unknown, at: string): FunctionProgram {
  const object = shape.object(value, at, {
    required: ["file_rights", "id", "pi_hash", "program_file_name"],
  });
  return {
    file_rights: readFileRights(shape, object["file_rights"], child(at, "file_rights")),
    id: shape.integer(object["id"], child(at, "id"), 0, 2 ** 32 - 1),
    pi_hash: readHash(shape, object["pi_hash"], child(at, "pi_hash")),
    program_file_name: readFilePath(
      shape,
      object["program_file_name"],
      child(at, "program_file_name"),
    ),
  };
}

function readDataFile(shape: Shape, value: unknown, at: string): FunctionDataFile {
  const object = shape.object(value, at, {
    required: ["pi_hash", "data_file"],
    optional: ["priority"],
  });
  return {
    data_file: readFilePath(shape, object["data_file"], child(at, "data_file")),
    pi_hash: readHash(shape, object["pi_hash"], child(at, "pi_hash")),
    ...(object["priority"] === undefined
      ? {}
      : {
          priority: shape.integer(object["priority"], child(at, "priority"), -(2 ** 31), 2 ** 31),
        }),
  };
}
