// Admission of a program: what its bytes may hold before anything of it runs. The memory's maximum is written into the
// module itself, because the limits of a worker thread do not bound WebAssembly memory, and so is what makes it stoppable.
import { createHash } from "node:crypto";
import { messageOf } from "@holdfast/core";
import { WasiError } from "../errors.ts";
import { IMPORTABLE } from "./interface.ts";
import { functionsOf, type Layout, type ModuleBytes, parseLayout } from "./layout.ts";
import { encodeU32, malformed } from "./reader.ts";
import { type BoundsEdit, rewriteModule } from "./rewrite-module.ts";
import { type Bounds, EXTERNAL } from "./sections.ts";

/** What may be admitted. */
export interface AdmissionLimits {
  /** Becomes the maximum of the module's memory. */
  readonly maxMemoryMib: number;
  /** Default 128 MiB. */
  readonly maxModuleBytes?: number;
  /** Make NaNs canonical, so that the program computes the same bits on every machine; costs where floats are computed. */
  readonly deterministic?: boolean;
}

/** A module that passed admission, compiled with its memory bounded. */
export interface AdmittedModule {
  /** Digest of the bytes as they were given, lower-case hexadecimal. */
  readonly sha256: string;
  /** Compiled once; runs share it. */
  readonly compiled: WebAssembly.Module;
  readonly size: number;
  /** Pages of 64 KiB; `imported` when the host has to make the memory. */
  readonly memory: {
    readonly initialPages: number;
    readonly maximumPages: number;
    readonly imported: boolean;
  };
  /** Imported functions as `module.name`, sorted. */
  readonly imports: readonly string[];
  /** How many functions it has, imported ones included; those that come after were put there by admission. */
  readonly functions: number;
}

/** Pages of WebAssembly memory in a MiB. */
const PAGES_PER_MIB = 16;
const MOST_PAGES = 65_536;
const MAXIMUM_MODULE_BYTES = 128 * 1024 * 1024;
/** Tables live outside the memory; these bounds keep them under 64 MiB. */
const MAXIMUM_TABLES = 8;
const MAXIMUM_TABLE_ELEMENTS = 1_000_000;

/** A module that passed all checks but the compiler's, written anew; nothing in it is of the bytes that were given. */
export type CheckedModule = Omit<AdmittedModule, "compiled"> & { readonly rewritten: ModuleBytes };

/**
 * Parses, checks and compiles a program.
 * @throws WasiError MODULE_MALFORMED, MODULE_TOO_LARGE, MODULE_IMPORT for functions that are not offered,
 *   MODULE_MEMORY, MODULE_FEATURE for what can't be bounded, MODULE_ENTRY when there is no `_start`
 */
export async function admitModule(
  bytes: Uint8Array,
  limits: AdmissionLimits,
): Promise<AdmittedModule> {
  return compileChecked(checkModule(bytes, limits));
}

/** The first step of admission. @throws WasiError as `admitModule` */
export function checkModule(bytes: Uint8Array, limits: AdmissionLimits): CheckedModule {
  demandModuleSize(bytes.length, limits);
  const layout = parseLayout(bytes);
  checkImports(layout);
  checkEntry(layout);
  const maximumPages = Math.min(Math.floor(limits.maxMemoryMib * PAGES_PER_MIB), MOST_PAGES);
  const memory = onlyMemory(layout, maximumPages);
  const bounds = boundsEdits(layout, maximumPages);
  return {
    sha256: createHash("sha256").update(bytes).digest("hex"),
    rewritten: rewriteModule(bytes, layout, bounds, limits.deterministic === true),
    size: bytes.length,
    memory,
    imports: layout.imports.map(({ from, name }) => `${from}.${name}`).sort(),
    functions: functionsOf(layout),
  };
}

/** For who would have to copy a module first. @throws WasiError MODULE_TOO_LARGE */
export function demandModuleSize(size: number, limits: AdmissionLimits): void {
  const most = limits.maxModuleBytes ?? MAXIMUM_MODULE_BYTES;
  if (size <= most) return;
  throw new WasiError("MODULE_TOO_LARGE", `${size} bytes, at most ${most} are admitted`);
}

/** The last step of admission. @throws WasiError MODULE_MALFORMED */
export async function compileChecked(checked: CheckedModule): Promise<AdmittedModule> {
  const { rewritten, ...rest } = checked;
  return { ...rest, compiled: await compile(rewritten) };
}

function checkImports(layout: Layout): void {
  for (const entry of layout.imports) {
    const { from, name } = entry;
    if (entry.kind === "memory" && from === "env" && name === "memory") continue;
    const offered = Object.hasOwn(IMPORTABLE, from) ? IMPORTABLE[from] : undefined;
    const type = offered !== undefined && Object.hasOwn(offered, name) ? offered[name] : undefined;
    if (entry.kind !== "function" || type === undefined) {
      throw new WasiError("MODULE_IMPORT", `${printable(from)}.${printable(name)} is not offered`);
    }
    if (layout.types[entry.type] !== type) {
      throw new WasiError("MODULE_IMPORT", `${from}.${name} is imported with another type`);
    }
  }
}

/** The entry is `_start` without parameters; Veracruz also calls one with two, argc and argv. */
function checkEntry(layout: Layout): void {
  const start = layout.exports.find(({ name }) => name === "_start");
  if (start === undefined || start.kind !== EXTERNAL.function) {
    throw new WasiError("MODULE_ENTRY", "the module exports no function _start");
  }
  const imported = functionsOf(layout) - layout.functions.length;
  const type = layout.types[layout.functions[start.index - imported] ?? -1];
  if (type !== ":" && type !== "ii:" && type !== "ii:i" && type !== ":i") {
    throw new WasiError(
      "MODULE_ENTRY",
      "_start takes other parameters than none, or argc and argv",
    );
  }
}

function onlyMemory(layout: Layout, most: number): AdmittedModule["memory"] {
  const imported = layout.imports.flatMap((entry) =>
    entry.kind === "memory" ? [entry.bounds] : [],
  );
  const [memory, another] = [...imported, ...layout.memories];
  if (another !== undefined) throw new WasiError("MODULE_MEMORY", "more than one memory");
  if (memory === undefined) throw new WasiError("MODULE_MEMORY", "the module has no memory");
  const exported = layout.exports.find(({ name }) => name === "memory");
  if (imported.length === 0 && exported?.kind !== EXTERNAL.memory) {
    throw new WasiError("MODULE_MEMORY", "the module does not export its memory as `memory`");
  }
  const maximumPages = Math.min(memory.maximum ?? MOST_PAGES, most);
  if (memory.initial > maximumPages) {
    throw new WasiError(
      "MODULE_MEMORY",
      `starts with ${memory.initial / PAGES_PER_MIB} MiB of memory, ${maximumPages / PAGES_PER_MIB} MiB are allowed`,
    );
  }
  return { initialPages: memory.initial, maximumPages, imported: imported.length > 0 };
}

/** The maxima that are put in place. */
function boundsEdits(layout: Layout, maximumPages: number): BoundsEdit[] {
  if (layout.tables.length > MAXIMUM_TABLES) {
    throw new WasiError("MODULE_FEATURE", `more than ${MAXIMUM_TABLES} tables`);
  }
  return [
    ...layout.memories.map((bounds) => edit(bounds, maximumPages, "memory")),
    ...layout.imports.flatMap((entry) =>
      entry.kind === "memory" ? [edit(entry.bounds, maximumPages, "memory")] : [],
    ),
    ...layout.tables.map((bounds) => edit(bounds, MAXIMUM_TABLE_ELEMENTS, "table")),
  ];
}

function edit(bounds: Bounds, most: number, what: string): BoundsEdit {
  const maximum = Math.min(bounds.maximum ?? most, most);
  if (bounds.initial > maximum) {
    throw new WasiError(
      "MODULE_FEATURE",
      `a ${what} starts with ${bounds.initial}, over ${maximum}`,
    );
  }
  const replacement = Uint8Array.from([1, ...encodeU32(bounds.initial), ...encodeU32(maximum)]);
  return { start: bounds.start, end: bounds.end, replacement };
}

async function compile(bytes: ModuleBytes): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    throw malformed(messageOf(cause).slice(0, 300), cause);
  }
}

function printable(name: string): string {
  return JSON.stringify(name.slice(0, 64)).slice(1, -1);
}
