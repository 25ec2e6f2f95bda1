// Writes the bodies of functions anew: single instructions are replaced, or get something behind them, all else is copied.
import { type Opcode, readInstruction } from "./instructions.ts";
import { ModuleWriter } from "./module-writer.ts";
import { encodeU32, type ModuleReader, malformed } from "./reader.ts";

/** What to do with an instruction: put bytes in its place, or behind it. */
export type Edit = { readonly instead: Uint8Array } | { readonly behind: Uint8Array };

/**
 * Decides on an instruction; undefined leaves it as it is.
 * @param local gives the number of a local of a type that is the edit's own, one a function
 */
export type EditInstruction = (opcode: Opcode, local: (type: number) => number) => Edit | undefined;

/** Edits, and which bodies can have anything to edit: looking at every instruction of a large module takes seconds. */
export interface Editor {
  readonly edit: EditInstruction;
  readonly concerns: (bytes: Uint8Array, start: number, end: number) => boolean;
}

/** V8 compiles no larger function. */
const MAXIMUM_BODY_BYTES = 7_654_321;

/**
 * What a code section has behind its count: the bodies, each with its length before it.
 * @param parameters how many each function has, in order
 * @throws WasiError MODULE_FEATURE, MODULE_MALFORMED
 */
export function rewriteBodies(
  code: ModuleReader,
  parameters: readonly number[],
  { edit, concerns }: Editor,
): Uint8Array {
  if (code.count(1) !== parameters.length) {
    throw malformed("there are not as many bodies as functions");
  }
  const first = code.at;
  let copied = first;
  let all: ModuleWriter | undefined;
  const instructions = new ModuleWriter(1024);
  for (const own of parameters) {
    const start = code.at;
    const body = code.part(code.u32());
    if (body.left > MAXIMUM_BODY_BYTES) {
      throw malformed(`a function has more than ${MAXIMUM_BODY_BYTES} bytes`);
    }
    if (!concerns(body.bytes, body.at, body.end)) continue;
    instructions.clear();
    const locals = rewriteBody(body, own, edit, instructions);
    if (locals === undefined) continue;
    all ??= new ModuleWriter(Math.ceil((code.end - first) * 1.25));
    all.copy(code.bytes, copied, start);
    all.u32(locals.length + instructions.length);
    all.copy(locals);
    all.copy(instructions.written);
    copied = code.at;
  }
  if (code.left > 0) throw malformed("the code has bytes behind its end");
  if (all === undefined) return code.bytes.subarray(first, code.end);
  all.copy(code.bytes, copied, code.end);
  return all.written;
}

/**
 * Writes a body's instructions anew.
 * @returns its locals, with those that edits asked for; undefined when nothing is changed
 */
function rewriteBody(
  body: ModuleReader,
  parameters: number,
  edit: EditInstruction,
  instructions: ModuleWriter,
): Uint8Array | undefined {
  const locals = readLocals(body);
  const afterLocals = body.at;
  const own = new Map<number, number>();
  const local = (type: number): number => {
    const number = own.get(type) ?? parameters + locals.count + own.size;
    own.set(type, number);
    return number;
  };
  let copied = body.at;
  let isChanged = false;
  while (body.left > 0) {
    const at = body.at;
    const change = edit(readInstruction(body), local);
    if (change === undefined) continue;
    const replaces = "instead" in change;
    instructions.copy(body.bytes, copied, replaces ? at : body.at);
    instructions.copy(replaces ? change.instead : change.behind);
    copied = body.at;
    isChanged = true;
  }
  if (!isChanged) return undefined;
  instructions.copy(body.bytes, copied, body.end);
  return Uint8Array.from([
    ...encodeU32(locals.groups + own.size),
    ...body.bytes.subarray(locals.start, afterLocals),
    ...[...own.keys()].flatMap((type) => [1, type]),
  ]);
}

function readLocals(body: ModuleReader): { count: number; groups: number; start: number } {
  const groups = body.count(2);
  const start = body.at;
  let count = 0;
  for (let left = groups; left > 0; left -= 1) {
    count += body.u32();
    const type = body.byte();
    if (type === 0x63 || type === 0x64) body.skipNumber();
  }
  return { count, groups, start };
}
