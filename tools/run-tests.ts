// Runs every test of the repository with Node's own runner and ends with its summary.
// Usage: npm test [-- FILTER...]   a filter is a part of a path: `npm test -- packages/wasi`
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";

const filters = process.argv.slice(2);
const files = globSync(
  [
    "packages/*/src/**/*.test.ts",
    "apps/*/src/**/*.test.ts",
    "examples/**/*.test.ts",
    "test/**/*.test.ts",
    "tools/*.test.ts",
    "bench/**/*.test.ts",
  ],
  { exclude: ["**/node_modules/**", "**/dist/**"] },
)
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
  .sort();

if (files.length === 0) {
  console.error(`no test file matches ${filters.join(", ")}`);
  process.exit(2);
}
// Suites that start processes of their own would starve one another with more at a time.
const result = spawnSync(process.execPath, ["--test", "--test-concurrency=2", ...files], {
  stdio: "inherit",
});
process.exit(result.status ?? 1);
