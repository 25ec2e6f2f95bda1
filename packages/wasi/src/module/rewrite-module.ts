// Writes the code of a module anew: stoppable always, with canonical NaNs where the same bits are wanted everywhere.
import { Buffer } from "node:buffer";
import { canonicalNan } from "./canonical-nans.ts";
import { type Added, interruptible } from "./interruptible.ts";
import { functionsOf, type Layout, type ModuleBytes, PREAMBLE, parseLayout } from "./layout.ts";
import { encodeU32, ModuleReader } from "./reader.ts";
import { type Editor, rewriteBodies } from "./rewrite-code.ts";
import { SECTION } from "./sections.ts";

const I32 = 0x7f;
const FUNCTION_TYPE = 0x60;

/**
 * The module with its code rewritten; everything else is copied.
 * @throws WasiError MODULE_FEATURE for instructions that are not known, MODULE_MALFORMED
 */
export function rewriteCode(bytes: ModuleBytes, deterministic: boolean): ModuleBytes {
  const layout = parseLayout(bytes);
  const code = layout.sections.find(({ id }) => id === SECTION.code);
  if (code === undefined) return bytes;
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
  if (!added.used && !deterministic) return bytes;
  const appended = added.used ? appendedTo(layout, added) : new Map<number, Appended>();
  const parts = layout.sections.map(({ id, start, content, end }) => {
    const more = appended.get(id);
    if (more === undefined && id !== SECTION.code) return bytes.subarray(start, end);
    const reader = new ModuleReader(bytes, content, end);
    const count = reader.u32() + (more?.count ?? 0);
    const items = id === SECTION.code ? bodies : [bytes.subarray(reader.at, end)];
    return section(id, [
      Uint8Array.from(encodeU32(count)),
      ...items,
      more?.bytes ?? new Uint8Array(),
    ]);
  });
  return Buffer.concat([Uint8Array.from(PREAMBLE), ...parts]);
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

function section(id: number, content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Uint8Array.from([id, ...encodeU32(length)]), ...content]);
}
