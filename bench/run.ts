// Runs benches one after the other, so that they don't measure each other.
// Usage: npm run bench [-- NAME... [OPTION...]]   without a name: all; options go to every bench named.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const HOME = import.meta.dirname;
const known = readdirSync(HOME, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(join(HOME, entry.name, "main.ts")))
  .map(({ name }) => name)
  .sort();
const words = process.argv.slice(2);
const first = words.findIndex((word) => word.startsWith("-"));
const names = first < 0 ? words : words.slice(0, first);
const options = first < 0 ? [] : words.slice(first);

const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`no bench named ${unknown.join(", ")}; there are: ${known.join(", ")}`);
  process.exit(2);
}
let status = 0;
for (const name of names.length === 0 ? known : names) {
  console.error(`\n== ${name}: bench/${name}/main.ts ${options.join(" ")}`);
  const result = spawnSync(process.execPath, [join(HOME, name, "main.ts"), ...options], {
    stdio: "inherit",
  });
  status ||= result.status ?? 1;
}
process.exit(status);
