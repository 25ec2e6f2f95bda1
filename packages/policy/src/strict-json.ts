// JSON text to a value (RFC 8259), bounded, with duplicate names refused: two readers of one text must not see two
// policies.
import { messageOf } from "@holdfast/core";
import { PolicyError } from "./errors.ts";

/** The longest policy text, in characters, and the deepest nesting. */
export const MAXIMUM_POLICY_TEXT = 4 * 1024 * 1024;
const MAXIMUM_DEPTH = 32;

/**
 * Reads JSON.
 * @throws PolicyError POLICY_INVALID with a fault JSON_TOO_LONG, JSON_SYNTAX, JSON_TOO_DEEP or JSON_DUPLICATE_NAME
 */
export function parseStrictJson(text: string): unknown {
  if (text.length > MAXIMUM_POLICY_TEXT) {
    throw invalid("JSON_TOO_LONG", `text is over ${MAXIMUM_POLICY_TEXT} characters`);
  }
  let value: unknown;
  checkDepth(text);
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid("JSON_SYNTAX", messageOf(cause));
  }
  refuseDuplicates(text);
  return value;
}

/** Counts brackets outside strings; runs before the parser, whose own limit is the stack. */
function checkDepth(text: string): void {
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (token === "{" || token === "[") depth += 1;
    if (token === "}" || token === "]") depth -= 1;
    if (depth > MAXIMUM_DEPTH)
      throw invalid("JSON_TOO_DEEP", `nested deeper than ${MAXIMUM_DEPTH}`);
  }
}

/** Walks the tokens of a text that is known to be valid JSON. */
function refuseDuplicates(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  const tokens = text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[[\]{}]/gs);
  for (const [token, quoted, colon] of tokens) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (quoted !== undefined && colon !== undefined) {
      const name = JSON.parse(quoted) as string;
      const names = open.at(-1);
      if (names?.has(name)) throw invalid("JSON_DUPLICATE_NAME", `member ${quoted} stands twice`);
      names?.add(name);
    }
  }
}

function invalid(code: string, message: string): PolicyError {
  return new PolicyError("POLICY_INVALID", `policy is not usable JSON: ${message}`, [
    { code, pointer: "", message },
  ]);
}
