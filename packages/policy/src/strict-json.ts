// JSON text to a value (RFC 8259), bounded, with duplicate names refused: two readers of one text must not see two
// policies. Texts are walked by hand, once each: a regular expression over hostile text can take quadratic time.
import { messageOf } from "@holdfast/core";
import { PolicyError } from "./errors.ts";

/** The longest policy text, in characters, and the deepest nesting. */
export const MAXIMUM_POLICY_TEXT: number = 4 * 1024 * 1024;
const MAXIMUM_DEPTH = 32;

/**
 * Reads JSON.
 * @throws PolicyError POLICY_INVALID with a fault JSON_TOO_LONG, JSON_CHARACTER (broken Unicode: its hash would not be
 *   over this text), JSON_TOO_DEEP, JSON_SYNTAX or JSON_DUPLICATE_NAME
 */
export function parseStrictJson(text: string): unknown {
  if (text.length > MAXIMUM_POLICY_TEXT) {
    throw invalid("JSON_TOO_LONG", `text is over ${MAXIMUM_POLICY_TEXT} characters`);
  }
  if (!text.isWellFormed()) throw invalid("JSON_CHARACTER", "text has broken Unicode in it");
  // Before the parser, whose own limit is the stack.
  checkDepth(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid("JSON_SYNTAX", messageOf(cause));
  }
  refuseDuplicates(text);
  return value;
}

function checkDepth(text: string): void {
  let depth = 0;
  walk(text, (character) => {
    if (character === "{" || character === "[") depth += 1;
    if (character === "}" || character === "]") depth -= 1;
    if (depth > MAXIMUM_DEPTH) {
      throw invalid("JSON_TOO_DEEP", `nested deeper than ${MAXIMUM_DEPTH}`);
    }
  });
}

/** Walks a text that is known to be valid JSON. */
function refuseDuplicates(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  let last = "";
  walk(text, (character, quoted) => {
    if (character === "{") open.push(new Set());
    if (character === "[") open.push(undefined);
    if (character === "}" || character === "]") open.pop();
    if (character === '"') last = quoted;
    if (character !== ":") return;
    const names = open.at(-1);
    const name = JSON.parse(last) as string;
    if (names?.has(name)) throw invalid("JSON_DUPLICATE_NAME", `member ${last} stands twice`);
    names?.add(name);
  });
}

/** Visits the marks of a text that stand outside strings, and each string as a whole. */
function walk(text: string, visit: (character: string, quoted: string) => void): void {
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '"') {
      const end = endOfString(text, at);
      visit('"', text.slice(at, end));
      at = end - 1;
    } else if ("{}[]:".includes(character)) {
      visit(character, "");
    }
  }
}

/** Where a string that starts at a quote is over; the end of the text when it never is. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === "\\") at += 1;
    else if (character === '"') return at + 1;
  }
  return text.length;
}

function invalid(code: string, message: string): PolicyError {
  return new PolicyError("POLICY_INVALID", `policy is not usable JSON: ${message}`, [
    { code, pointer: "", message },
  ]);
}
