// The optional `holdfast` member of a policy: terms that no other system has. Others ignore it; here an unknown member
// inside it is a fault, because a term that is not understood is a term that is not kept.
import { type Pins, type PolicyInput, readInputs } from "./input-terms.ts";
import { pathPlaces, readFilePath, readPath, refuseDuplicates, spelling } from "./parts.ts";
import { child, type Shape, type Untrusted } from "./shape.ts";

/** Limits of runs; what is absent is bounded by the keep's own defaults. */
export interface Limits {
  readonly wallTimeMs?: number;
  readonly storageMib?: number;
  /** What files and all runs at once may take together. */
  readonly memoryMib?: number;
  readonly runs?: number;
  readonly outputBytes?: number;
}

/**
 * How often, and by whom, what stands at or below a path may be read out. Of several the nearest above a file decides,
 * as with rights.
 */
export interface ReadLimit {
  readonly path: string;
  /** Identity ids; absent means whoever has the right. */
  readonly identities?: readonly number[];
  readonly times?: number;
}

const MAXIMUM_VARIABLES = 256;

/** What the policy says beyond Veracruz. */
export interface HoldfastTerms {
  /** Arguments and environment by program path. */
  readonly programs: ReadonlyMap<
    string,
    {
      readonly arguments: readonly string[];
      readonly environment: Readonly<Record<string, string>>;
    }
  >;
  readonly limits: Limits;
  /** Files that must be there before any run. */
  readonly requiredInputs: readonly string[];
  /** Files that the keep fetches itself; no run starts before they are there. */
  readonly inputs: readonly PolicyInput[];
  readonly readLimits: readonly ReadLimit[];
  /** Identities that must sign the policy hash before the keep takes data. */
  readonly consent: readonly number[];
  /** Identities who may shut down; absent means all. */
  readonly shutdown?: readonly number[];
  readonly keepPartialOutput: boolean;
}

/** What the terms may refer to. */
export interface Known {
  /** Absent where identities are not known yet: in a function policy. */
  readonly identityIds?: readonly number[];
  readonly programs: readonly string[];
  readonly pins: Pins;
}

/** Reads the member; absent means no terms. */
export function readHoldfastTerms(shape: Shape, value: unknown, known: Known): HoldfastTerms {
  const at = "/holdfast";
  const object = shape.object(value === undefined ? {} : value, at, {
    required: [],
    optional: [
      "programs",
      "limits",
      "required_inputs",
      "inputs",
      "read_limits",
      "consent",
      "shutdown",
      "keep_partial_output",
    ],
  });
  refuseDuplicates(
    shape,
    pathPlaces(object["programs"], `${at}/programs`, "program_file_name"),
    "PROGRAM_DUPLICATE",
  );
  refuseDuplicates(
    shape,
    pathPlaces(object["read_limits"], `${at}/read_limits`, "path"),
    "PATH_DUPLICATE",
  );
  return {
    programs: new Map(
      shape
        .array(object["programs"], `${at}/programs`, 256, (entry, pointer) =>
          readProgram(shape, entry, pointer, known),
        )
        .filter((entry) => entry !== undefined),
    ),
    limits: readLimits(shape, object["limits"], `${at}/limits`),
    requiredInputs: shape
      .array(object["required_inputs"], `${at}/required_inputs`, 256, (entry, pointer) =>
        spelling(readFilePath(shape, entry, pointer)),
      )
      .filter((path) => path !== undefined),
    inputs: readInputs(shape, object["inputs"], `${at}/inputs`, known.pins),
    readLimits: shape.array(object["read_limits"], `${at}/read_limits`, 256, (entry, pointer) =>
      readReadLimit(shape, entry, pointer, known),
    ),
    consent: readIds(shape, object["consent"], `${at}/consent`, known),
    ...(object["shutdown"] === undefined
      ? {}
      : { shutdown: readIds(shape, object["shutdown"], `${at}/shutdown`, known) }),
    keepPartialOutput: shape.boolean(object["keep_partial_output"], `${at}/keep_partial_output`),
  };
}

/** The member as it stands, for policies that only pass it on. */
export function keepTerms(object: Untrusted): { holdfast?: Untrusted } {
  const terms = object["holdfast"];
  return terms === undefined ? {} : { holdfast: terms as Untrusted };
}

type ProgramEntry = [string, { arguments: string[]; environment: Record<string, string> }];

function readProgram(
  shape: Shape,
  value: unknown,
  at: string,
  known: Known,
): ProgramEntry | undefined {
  const object = shape.object(value, at, {
    required: ["program_file_name"],
    optional: ["arguments", "environment"],
  });
  const name = spelling(
    readFilePath(shape, object["program_file_name"], child(at, "program_file_name")),
  );
  if (name === undefined) return undefined;
  if (!known.programs.some((program) => spelling(program) === name)) {
    shape.faults.add(
      "PROGRAM_UNKNOWN",
      child(at, "program_file_name"),
      `${name} is no program of the policy`,
    );
  }
  const environment = readEnvironment(shape, object["environment"], child(at, "environment"));
  const list = shape.array(object["arguments"], child(at, "arguments"), 256, (entry, pointer) =>
    withoutNul(shape, shape.text(entry, pointer, { empty: true }), pointer),
  );
  return [name, { arguments: list, environment }];
}

function readEnvironment(shape: Shape, value: unknown, at: string): Record<string, string> {
  const object: Untrusted = shape.openObject(value === undefined ? {} : value, at, []);
  const names = Object.keys(object).length;
  if (names > MAXIMUM_VARIABLES) {
    shape.faults.add("OBJECT_TOO_LARGE", at, `${names} members, at most ${MAXIMUM_VARIABLES}`);
    return {};
  }
  const entries = Object.entries(object).map(([name, text]): [string, string] => {
    const pointer = child(at, name);
    if (!/^[^=\0]{1,256}$/.test(name) || !name.isWellFormed())
      shape.faults.add("ENVIRONMENT_NAME", pointer, "not a variable's name");
    return [name, withoutNul(shape, shape.text(text, pointer, { empty: true }), pointer)];
  });
  return Object.fromEntries(entries);
}

function readLimits(shape: Shape, value: unknown, at: string): Limits {
  const object = shape.object(value === undefined ? {} : value, at, {
    required: [],
    optional: ["wall_time_ms", "storage_mib", "memory_mib", "runs", "output_bytes"],
  });
  const bound = (name: string, maximum: number): number | undefined =>
    object[name] === undefined
      ? undefined
      : shape.integer(object[name], child(at, name), 1, maximum);
  const wallTimeMs = bound("wall_time_ms", 2 ** 31 - 1);
  const storageMib = bound("storage_mib", 1024 * 1024);
  const memoryMib = bound("memory_mib", 1024 * 1024);
  const runs = bound("runs", 2 ** 31 - 1);
  const outputBytes = bound("output_bytes", 2 ** 40);
  return {
    ...(wallTimeMs === undefined ? {} : { wallTimeMs }),
    ...(storageMib === undefined ? {} : { storageMib }),
    ...(memoryMib === undefined ? {} : { memoryMib }),
    ...(runs === undefined ? {} : { runs }),
    ...(outputBytes === undefined ? {} : { outputBytes }),
  };
}

function readReadLimit(shape: Shape, value: unknown, at: string, known: Known): ReadLimit {
  const object = shape.object(value, at, { required: ["path"], optional: ["identities", "times"] });
  const text = shape.text(object["path"], child(at, "path"));
  const path = (text === "" ? undefined : readPath(shape, text, child(at, "path"))) ?? "/";
  return {
    path,
    ...(object["identities"] === undefined
      ? {}
      : { identities: readIds(shape, object["identities"], child(at, "identities"), known) }),
    ...(object["times"] === undefined
      ? {}
      : { times: shape.integer(object["times"], child(at, "times"), 0, 2 ** 31 - 1) }),
  };
}

function readIds(shape: Shape, value: unknown, at: string, known: Known): number[] {
  if (Array.isArray(value)) {
    const places = value.slice(0, 256).map((id: unknown, index) => ({
      value: typeof id === "number" ? id : undefined,
      pointer: `${at}/${index}`,
    }));
    refuseDuplicates(shape, places, "ID_DUPLICATE");
  }
  return shape.array(value, at, 256, (entry, pointer) => {
    const id = shape.integer(entry, pointer, 0, 2 ** 32 - 1);
    if (known.identityIds !== undefined && !known.identityIds.includes(id)) {
      shape.faults.add("IDENTITY_UNKNOWN", pointer, `${id} is no identity of the policy`);
    }
    return id;
  });
}

function withoutNul(shape: Shape, text: string, pointer: string): string {
  if (text.includes("\0"))
    shape.faults.add("STRING_NUL", pointer, "a NUL character would cut the text");
  return text;
}
