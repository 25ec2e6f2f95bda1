// Reads the sections of a module that admission decides on: types, imports, tables, memories, exports, functions.
import { WasiError } from "../errors.ts";
import { type ModuleReader, malformed } from "./reader.ts";

/** Section numbers of the binary format. */
export const SECTION = {
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  export: 7,
  code: 10,
} as const;

/** Bounds of a memory in pages or of a table in elements. */
export interface Bounds {
  readonly initial: number;
  readonly maximum?: number;
  /** Where the bounds stand in the bytes, to be written anew. */
  readonly start: number;
  readonly end: number;
}

/** An import. Functions carry the number of their type. */
export type Import =
  | {
      readonly kind: "function";
      readonly from: string;
      readonly name: string;
      readonly type: number;
    }
  | {
      readonly kind: "memory";
      readonly from: string;
      readonly name: string;
      readonly bounds: Bounds;
    }
  | { readonly kind: "other"; readonly from: string; readonly name: string };

/** An export. */
export interface Export {
  readonly name: string;
  readonly kind: number;
  readonly index: number;
}

/** Kinds of exports and imports. */
export const EXTERNAL = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;

const FUNCTION_TYPE = 0x60;
const VALUE_LETTERS: Readonly<Record<number, string>> = { 127: "i", 126: "I", 125: "f", 124: "F" };

/** Function types as letters, `ii:i`: i and I are integers of 32 and 64 bits, f and F floats, others `?`. */
export function readTypes(reader: ModuleReader): string[] {
  return Array.from({ length: reader.count(2) }, () => {
    if (reader.byte() !== FUNCTION_TYPE) {
      // Objects of the collector live outside the module's memory, where no maximum can be written.
      throw new WasiError("MODULE_FEATURE", "the module uses garbage-collected types");
    }
    return `${readValueTypes(reader)}:${readValueTypes(reader)}`;
  });
}

/** Imports in order. */
export function readImports(reader: ModuleReader): Import[] {
  return Array.from({ length: reader.count(4) }, () => {
    const from = reader.name();
    const name = reader.name();
    switch (reader.byte()) {
      case EXTERNAL.function:
        return { kind: "function", from, name, type: reader.u32() };
      case EXTERNAL.memory:
        return { kind: "memory", from, name, bounds: readBounds(reader) };
      case EXTERNAL.table:
        readReferenceType(reader);
        readBounds(reader);
        return { kind: "other", from, name };
      case EXTERNAL.global:
        readReferenceType(reader);
        reader.byte();
        return { kind: "other", from, name };
      case EXTERNAL.tag:
        reader.byte();
        reader.u32();
        return { kind: "other", from, name };
      default:
        throw malformed("an import of an unknown kind");
    }
  });
}

/** Type numbers of the module's own functions. */
export function readFunctions(reader: ModuleReader): number[] {
  return Array.from({ length: reader.count(1) }, () => reader.u32());
}

/** Bounds of each memory. */
export function readMemories(reader: ModuleReader): Bounds[] {
  return Array.from({ length: reader.count(2) }, () => readBounds(reader));
}

/** Bounds of each table. A table with an initial value is refused: no toolchain makes one without collected types. */
export function readTables(reader: ModuleReader): Bounds[] {
  return Array.from({ length: reader.count(2) }, () => {
    readReferenceType(reader);
    return readBounds(reader);
  });
}

/** Exports in order. */
export function readExports(reader: ModuleReader): Export[] {
  return Array.from({ length: reader.count(3) }, () => ({
    name: reader.name(),
    kind: reader.byte(),
    index: reader.u32(),
  }));
}

function readValueTypes(reader: ModuleReader): string {
  const letters = Array.from({ length: reader.count(1) }, () => {
    const type = reader.byte();
    if (type === 0x63 || type === 0x64) reader.u32();
    return VALUE_LETTERS[type] ?? "?";
  });
  return letters.join("");
}

function readReferenceType(reader: ModuleReader): void {
  const type = reader.byte();
  if (type === 0x40) throw new WasiError("MODULE_FEATURE", "a table with an initial value");
  if (type === 0x63 || type === 0x64) reader.u32();
}

function readBounds(reader: ModuleReader): Bounds {
  const start = reader.at;
  const flags = reader.byte();
  if ((flags & 0x02) !== 0) throw new WasiError("MODULE_FEATURE", "memory shared between threads");
  if ((flags & 0x04) !== 0) throw new WasiError("MODULE_FEATURE", "memory of 64 bits");
  if (flags > 1) throw new WasiError("MODULE_FEATURE", "memory of an unknown kind");
  const initial = reader.u32();
  const maximum = flags === 1 ? reader.u32() : undefined;
  return { initial, ...(maximum === undefined ? {} : { maximum }), start, end: reader.at };
}
