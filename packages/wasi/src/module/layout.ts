// Where the sections of a module are, and what admission has to know of them.
import { WasiError } from "../errors.ts";
import { ModuleReader, malformed } from "./reader.ts";
import {
  type Bounds,
  type Export,
  type Import,
  readExports,
  readFunctions,
  readImports,
  readMemories,
  readTables,
  readTypes,
  SECTION,
} from "./sections.ts";

/** Custom sections may stand as often as they like; no compiler writes a hundred. */
const MAXIMUM_SECTIONS = 10_000;
/** The first bytes of every module. */
export const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const COMPONENT_PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];

/** Bytes of a module that was written anew. */
export type ModuleBytes = Uint8Array<ArrayBuffer>;

/** A section as it stands in the bytes. */
export interface Section {
  readonly id: number;
  /** Where the section begins, its id byte included, and where its content does. */
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

/** What of a module admission decides on. */
export interface Layout {
  readonly sections: readonly Section[];
  readonly types: readonly string[];
  readonly imports: readonly Import[];
  readonly functions: readonly number[];
  readonly tables: readonly Bounds[];
  readonly memories: readonly Bounds[];
  readonly exports: readonly Export[];
}

/** Reads where the sections are, and what they say. @throws WasiError MODULE_MALFORMED, MODULE_FEATURE, MODULE_TOO_LARGE */
export function parseLayout(bytes: Uint8Array): Layout {
  if (startsWith(bytes, COMPONENT_PREAMBLE)) {
    throw new WasiError("MODULE_FEATURE", "a component; only core modules with WASI Preview 1 run");
  }
  if (!startsWith(bytes, PREAMBLE)) throw malformed("its first eight bytes are others");
  const reader = new ModuleReader(bytes, PREAMBLE.length);
  const sections: Section[] = [];
  while (reader.left > 0) {
    const start = reader.at;
    const id = reader.byte();
    const part = reader.part(reader.u32());
    if (sections.length === MAXIMUM_SECTIONS) {
      throw new WasiError("MODULE_TOO_LARGE", `more than ${MAXIMUM_SECTIONS} sections`);
    }
    sections.push({ id, start, content: part.at, end: part.end });
  }
  const read = <T>(id: number, parse: (reader: ModuleReader) => T[]): T[] => {
    const [section, twice] = sections.filter((candidate) => candidate.id === id);
    if (twice !== undefined) throw malformed(`section ${id} stands twice`);
    if (section === undefined) return [];
    const part = new ModuleReader(bytes, section.content, section.end);
    const items = parse(part);
    if (part.left > 0) throw malformed(`section ${id} has bytes behind its end`);
    return items;
  };
  return {
    sections,
    types: read(SECTION.type, readTypes),
    imports: read(SECTION.import, readImports),
    functions: read(SECTION.function, readFunctions),
    tables: read(SECTION.table, readTables),
    memories: read(SECTION.memory, readMemories),
    exports: read(SECTION.export, readExports),
  };
}

/** How many functions a module has, imported ones included. */
export function functionsOf({ imports, functions }: Layout): number {
  return imports.filter(({ kind }) => kind === "function").length + functions.length;
}

function startsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return prefix.every((byte, index) => bytes[index] === byte);
}
