// Reads a darknet configuration for the reference: sections of key=value lines, `#` and `;` open comments.
// Deliberately plain, with none of the program's code in it: it is what the program is compared with.

/** A section: its name without brackets, and its options. */
export interface ConfigSection {
  readonly name: string;
  readonly options: ReadonlyMap<string, string>;
}

/** All sections in order; the first is [net]. */
export function readConfig(text: string): ConfigSection[] {
  const sections: { name: string; options: Map<string, string> }[] = [];
  for (const raw of text.split("\n")) {
    const line = raw.replaceAll(/\s/g, "");
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    if (line.startsWith("[")) {
      sections.push({ name: line.slice(1, line.indexOf("]")), options: new Map() });
      continue;
    }
    const at = line.indexOf("=");
    if (at < 1) throw new Error(`not key=value: ${raw}`);
    sections.at(-1)?.options.set(line.slice(0, at), line.slice(at + 1));
  }
  return sections;
}

/** A number of a section, or the value that stands for its absence. */
export function numberOf(section: ConfigSection, key: string, absent: number): number {
  const text = section.options.get(key);
  return text === undefined ? absent : Number(text);
}

/** A comma-separated list of numbers. */
export function numbersOf(section: ConfigSection, key: string): number[] {
  return (section.options.get(key) ?? "").split(",").filter(Boolean).map(Number);
}
