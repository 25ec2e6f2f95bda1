// Guards the list of error codes: codes are permanent, people match on them, so docs/reference/errors.md and the
// sources must name the same ones, both ways. A code counts where a union named ...Code lists it, or where it is the
// first argument of an error or the second of a problem document.
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");
const PAGE = "docs/reference/errors.md";
const CODE = "[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+";
const PLACES = [
  new RegExp(`\\b(?:Error|Refusal|Fault|refusal|fault)\\(\\s*"(${CODE})"`, "g"),
  new RegExp(`\\bproblem\\(\\s*[\\w.]+,\\s*"(${CODE})"`, "g"),
];

const inSources = codesInSources();
const onPage = new Set(
  [
    ...readFileSync(join(ROOT, PAGE), "utf8").matchAll(new RegExp(`^\\| \`(${CODE})\` \\|`, "gm")),
  ].map(([, code = ""]) => code),
);
const faults = [
  ...[...inSources]
    .filter(([code]) => !onPage.has(code))
    .map(([code, file]) => `${PAGE} does not list ${code} (${file})`),
  ...[...onPage]
    .filter((code) => !inSources.has(code))
    .map((code) => `${PAGE} lists ${code}, which no source has`),
];
for (const fault of faults.sort()) console.error(fault);
if (faults.length > 0) process.exit(1);
console.log(`errors: ${onPage.size} codes, each listed once`);

/** Where each code is found first. */
function codesInSources(): Map<string, string> {
  const files = globSync(["packages/*/src/**/*.ts", "apps/*/src/**/*.ts"], { cwd: ROOT })
    .filter((file) => !file.endsWith(".test.ts") && !file.includes("/testing/"))
    .sort();
  const found = new Map<string, string>();
  for (const file of files) {
    const text = readFileSync(join(ROOT, file), "utf8");
    for (const code of [...unionCodes(text), ...PLACES.flatMap((place) => matches(text, place))]) {
      if (!found.has(code)) found.set(code, file);
    }
  }
  return found;
}

function unionCodes(text: string): string[] {
  return [...text.matchAll(/\btype \w*Code\w* =([^;]+);/g)].flatMap(([, body = ""]) =>
    matches(body, new RegExp(`"(${CODE})"`, "g")),
  );
}

function matches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, code = ""]) => code);
}
