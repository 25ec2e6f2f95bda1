// Claims as lines: the ones that say what runs there first, nested ones flattened, long lists of zeros left out.
import type { Terminal } from "../terminal/terminal.ts";

const FIRST: readonly string[] = [
  "measurement",
  "mrEnclave",
  "mrSigner",
  "mrTd",
  "rtMr0",
  "rtMr1",
  "rtMr2",
  "rtMr3",
  "nonZeroPcrs",
  "realmInitialMeasurement",
  "components",
  "pcrs",
  "reportData",
  "nonce",
  "userData",
];

/** Tells claims, one a line. */
export function tellClaims(terminal: Terminal, claims: object): void {
  const lines = flatten(claims, "").toSorted(([left], [right]) => rankOf(left) - rankOf(right));
  const width = Math.min(28, Math.max(0, ...lines.map(([name]) => name.length)));
  for (const [name, value] of lines) terminal.line(`  ${`${name}:`.padEnd(width + 1)} ${value}`);
}

function rankOf(name: string): number {
  const rank = FIRST.indexOf(name.split(".")[0] ?? name);
  return rank < 0 ? FIRST.length : rank;
}

function flatten(value: unknown, name: string): [string, string][] {
  if (typeof value !== "object" || value === null) return [[name, inWords(value)]];
  return Object.entries(value).flatMap(([key, each]) =>
    flatten(each, name === "" ? key : `${name}.${key}`),
  );
}

function inWords(value: unknown): string {
  if (value === null || value === undefined) return "none";
  const text = String(value);
  if (/^(?:00){16,}$/.test(text)) return `zeros (${text.length / 2} bytes)`;
  // Evidence is untrusted: nothing in it may speak to the terminal.
  return text.replaceAll(/[^\x20-\x7e]/g, "?");
}
