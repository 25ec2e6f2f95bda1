// Writes a module anew: with maxima for its memory and tables, stoppable always, with canonical NaNs where the same bits
// are wanted everywhere. All of it at once: a large module is not to be held more often than it must.
import { Buffer } from "node:buffer";
import { canonicalNan } from "./canonical-nans.ts";
import { type Added, interruptible } from "./interruptible.ts";
import { functionsOf, type Layout, type ModuleBytes, PREAMBLE, type Section } from "./layout.ts";
import { encodeU32, ModuleReader } from "./reader.ts";
import { type Editor, rewriteBodies } from "./rewrite-code.ts";
import { SECTION } from "./sections.ts";

const I32 = 0x7f;
const FUNCTION_TYPE = 0x60;

/** Bounds that others take the place of; all of one section stand in order. */
export interface BoundsEdit {
  readonly start: number;
  readonly end: number;
  readonly replacement: Uint8Array;
}

/**
 * The module with its bounds and its code rewritten; everything else is copied.
 * @throws WasiError MODULE_FEATURE for instructions that are not known, MODULE_MALFORMED
 */
export function rewriteModule(
  bytes: Uint8Array,
  layout: Layout,
  bounds: readonly BoundsEdit[],
  deterministic: boolean,
): ModuleBytes {
  const code = rewriteCode(bytes, layout, deterministic);
  const parts = layout.sections.flatMap((section) => {
    const content = code.get(section.id) ?? withBounds(bytes, section, bounds);
    return content === undefined
      ? [bytes.subarray(section.start, section.end)]
      : [sectionHead(section.id, content), ...content];
  });
  return Buffer.concat([Uint8Array.from(PREAMBLE), ...parts]);
}

/** What a section holds when there are bounds in it to be replaced. */
function withBounds(
  bytes: Uint8Array,
  { content, end }: Section,
  bounds: readonly BoundsEdit[],
): Uint8Array[] | undefined {
  const inside = bounds.filter(({ start }) => start >= content && start < end);
  if (inside.length === 0) return undefined;
  const parts: Uint8Array[] = [];
  let at = content;
  for (const edit of inside) {
    parts.push(bytes.subarray(at, edit.start), edit.replacement);
    at = edit.end;
  }
  return [...parts, bytes.subarray(at, end)];
}

/** What the sections hold that code being rewritten changes, by their ids. */
function rewriteCode(
  bytes: Uint8Array,
  layout: Layout,
  deterministic: boolean,
): Map<number, Uint8Array[]> {
  const rewritten = new Map<number, Uint8Array[]>();
  const code = layout.sections.find(({ id }) => id === SECTION.code);
  if (code === undefined) return rewritten;
  const stoppable = interruptible(functionsOf(layout));
  const { edit, added } = stoppable;
  const editor: Editor = deterministic
    ? {
        edit: (opcode, local) => edit(opcode, local) ?? canonicalNan(opcode, local),
        concerns: () => true,
      }
    : stoppable;
  const parameters = layout.functions.map((type) => (layout.types[type] ?? ":").indexOf(":"));
  const bodies = rewriteBodies(new ModuleReader(bytes, code.content, code.end), parameters, editor);
  if (!added.used && !deterministic) return rewritten;
  const appended = added.used ? appendedTo(layout, added) : new Map<number, Appended>();
  for (const { id, content, end } of layout.sections) {
    const more = appended.get(id);
    if (more === undefined && id !== SECTION.code) continue;
    const reader = new ModuleReader(bytes, content, end);
    const count = Uint8Array.from(encodeU32(reader.u32() + (more?.count ?? 0)));
    const items = id === SECTION.code ? bodies : bytes.subarray(reader.at, end);
    rewritten.set(id, [count, items, more?.bytes ?? new Uint8Array()]);
  }
  return rewritten;
}

/** What is put at the end of a section. */
interface Appended {
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** A type, a function and a body for each function that is added. */
function appendedTo({ types }: Layout, { parameters, bodies }: Added): Map<number, Appended> {
  const count = bodies.length;
  const sizedBodies = bodies.flatMap((body) => [Uint8Array.from(encodeU32(body.length)), body]);
  const numbers = bodies.flatMap((_, index) => encodeU32(types.length + index));
  const added = parameters.flatMap((many) => [
    ...[FUNCTION_TYPE, many],
    ...Array<number>(many).fill(I32),
    0,
  ]);
  return new Map([
    [SECTION.type, { count, bytes: Uint8Array.from(added) }],
    [SECTION.function, { count, bytes: Uint8Array.from(numbers) }],
    [SECTION.code, { count, bytes: Buffer.concat(sizedBodies) }],
  ]);
}

function sectionHead(id: number, content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return Uint8Array.from([id, ...encodeU32(length)]);
}
