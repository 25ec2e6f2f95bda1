// The document that the services were asked for in, where it is beside the repository: its JSON, its schemas and what it
// shows of answers. Nothing of it stands in this project.
import { existsSync, globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const PLACE = resolve(import.meta.dirname, "../../../../shared/seeds");

/** What is read of it. */
export interface SeedDocument {
  /** JSON of policies by the words before them, such as `User Policy`, their text as it stands. */
  policy(words: string): string;
  /** A JSON Schema, by the words before it or before the policy of it. */
  schema(words: string): Record<string, unknown>;
  /** What a script prints between two of its headings, first of all. */
  printed(heading: string): string;
}

/** Reads the document. @returns undefined when it is not there */
export function readSeed(): SeedDocument | undefined {
  if (!existsSync(PLACE)) return undefined;
  const texts = globSync("*.txt", { cwd: PLACE }).map((name) =>
    readFileSync(join(PLACE, name), "utf8"),
  );
  const text = texts.find((each) => each.startsWith("# i-poc"));
  if (text === undefined) return undefined;
  return {
    policy: (words) => blocksAfter(text, words)[0] ?? "",
    schema: (words) => {
      const block = blocksAfter(text, words).find((each) => each.includes("_schema = {"));
      return schemaOf(block ?? "");
    },
    printed: (heading) => {
      const from = text.indexOf(`=============${heading}\n`);
      const start = text.indexOf("\n", from) + 1;
      return dedent(text.slice(start, text.indexOf("=============", start)).replace(/ +$/, ""));
    },
  };
}

/** The blocks of JSON after some words, as they stand there but for the indentation that all lines share. */
function blocksAfter(text: string, words: string): string[] {
  const rest = text.slice(text.indexOf(words));
  return [...rest.matchAll(/```json\n([\s\S]*?)\n *```/g)].map(([, block = ""]) => dedent(block));
}

function dedent(text: string): string {
  const lines = text.split("\n");
  const widths = lines.filter((line) => line.trim() !== "").map((line) => line.search(/\S/));
  const width = Math.min(...widths);
  return lines.map((line) => line.slice(width)).join("\n");
}

/** JSON as people write it: commas too many and too few are seen over. */
export function parseLoose(text: string): unknown {
  return JSON.parse(text.replace(/,(\s*[}\]])/g, "$1").replace(/(["}\]])(\s*\n\s*")/g, "$1,$2"));
}

/** Schemas are written as assignments, each of which may name those before it. */
function schemaOf(block: string): Record<string, unknown> {
  const known = new Map<string, unknown>();
  for (const part of block.split(/^(?=\w+ = \{)/m)) {
    const [, name = "", body = ""] = /^(\w+) = ([\s\S]*)$/.exec(part.trim()) ?? [];
    const json = body
      .replaceAll("False", "false")
      .replace(/: *(json_\w+)/g, (_, each: string) => `: ${JSON.stringify(known.get(each))}`)
      .replace(/"type":(\S)/g, '"type": $1');
    known.set(name, parseLoose(json));
  }
  return [...known.values()].at(-1) as Record<string, unknown>;
}
