// Writes the bodies of functions anew: single instructions are replaced, or get something behind them, all else is copied.
import { Buffer } from "node:buffer";
import { type Opcode, readInstruction } from "./instructions.ts";
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

/**
 * What a code section has behind its count: the bodies, each with its length before it.
 * @param parameters how many each function has, in order
 * @throws WasiError MODULE_FEATURE, MODULE_MALFORMED
 */
export function rewriteBodies(
  code: ModuleReader,
  parameters: readonly number[],
  { edit, concerns }: Editor,
): Uint8Array[] {
  if (code.count(1) !== parameters.length) {
    throw malformed("there are not as many bodies as functions");
  }
  const parts: Uint8Array[] = [];
  let copied = code.at;
  for (const own of parameters) {
    const start = code.at;
    const body = code.part(code.u32());
    if (!concerns(body.bytes, body.at, body.end)) continue;
    const changed = rewriteBody(body, own, edit);
    if (changed === undefined) continue;
    parts.push(code.bytes.subarray(copied, start), Uint8Array.from(encodeU32(changed.length)));
    parts.push(changed);
    copied = code.at;
  }
  if (code.left > 0) throw malformed("the code has bytes behind its end");
  return [...parts, code.bytes.subarray(copied, code.end)];
}

/** @returns undefined when nothing is changed */
function rewriteBody(
  body: ModuleReader,
  parameters: number,
  edit: EditInstruction,
): Uint8Array | undefined {
  const locals = readLocals(body);
  const afterLocals = body.at;
  const own = new Map<number, number>();
  const local = (type: number): number => {
    const number = own.get(type) ?? parameters + locals.count + own.size;
    own.set(type, number);
    return number;
  };
  const parts: Uint8Array[] = [];
  let copied = body.at;
  while (body.left > 0) {
    const at = body.at;
    const change = edit(readInstruction(body), local);
    if (change === undefined) continue;
    const replaces = "instead" in change;
    parts.push(body.bytes.subarray(copied, replaces ? at : body.at));
    parts.push(replaces ? change.instead : change.behind);
    copied = body.at;
  }
  if (parts.length === 0) return undefined;
  return Buffer.concat([
    Uint8Array.from(encodeU32(locals.groups + own.size)),
    body.bytes.subarray(locals.start, afterLocals),
    Uint8Array.from([...own.keys()].flatMap((type) => [1, type])),
    ...parts,
    body.bytes.subarray(copied, body.end),
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
