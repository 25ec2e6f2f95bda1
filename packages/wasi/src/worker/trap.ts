// What a thrown value says of the guest: a trap with the WebAssembly function it happened in, a stack that is full,
// memory that is short, or a fault of our own.

import { ADAPTER_NAME } from "../host/adapter.ts";

/** A trap, or a failure that is not the guest's. */
export type Fault =
  | { readonly state: "trapped"; readonly trap: { message: string; function?: string } }
  | { readonly state: "failed"; readonly reason: string };

const MAXIMUM_TEXT = 200;
/** A frame of WebAssembly in V8's stack traces; the name is the module's and the function's, from the name section. */
const FRAME = /^\s*at (?:(.+) \()?wasm:\/\/wasm\/([^:]*):wasm-function\[(\d+)\]/gm;

/** Reads a thrown value. @param functions how many the guest's own module has; others were put behind them */
export function faultOf(thrown: unknown, functions: number): Fault {
  const stack = thrown instanceof Error ? (thrown.stack ?? "") : "";
  const name = functionIn(stack, functions);
  const trap = (message: string): Fault => ({
    state: "trapped",
    trap: { message: printable(message), ...(name === undefined ? {} : { function: name }) },
  });
  if (thrown instanceof WebAssembly.RuntimeError) return trap(thrown.message);
  // A regular expression that meets a full stack throws a SyntaxError with the same words.
  if (thrown instanceof Error && thrown.message.includes("Maximum call stack")) {
    return trap("stack overflow");
  }
  if (thrown instanceof RangeError && /memory|allocation/i.test(thrown.message)) {
    return { state: "failed", reason: "RUN_OUT_OF_MEMORY" };
  }
  if (isWasmException(thrown)) return trap("uncaught exception");
  return { state: "failed", reason: "RUN_HOST_FAULT" };
}

function functionIn(stack: string, functions: number): string | undefined {
  for (const [, qualified, place, index] of stack.matchAll(FRAME)) {
    if (place?.startsWith(ADAPTER_NAME) || Number(index) >= functions) continue;
    // V8 writes module.function when the module has a name of its own, and an index where a function has none.
    return printable(qualified === undefined ? `function ${index}` : qualified);
  }
  return undefined;
}

function isWasmException(thrown: unknown): boolean {
  return Object.prototype.toString.call(thrown) === "[object WebAssembly.Exception]";
}

/** Names come from the guest's module: bounded, and without characters that would forge lines in a log. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is replaced
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "?").slice(0, MAXIMUM_TEXT);
}
