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
const options = [
  // Suites that start processes of their own would starve one another with more at a time.
  "--test-concurrency=2",
  // What waits for ever fails by its name; a handle that such a test left open must not hold the rest of the run.
  "--test-timeout=300000",
  "--test-force-exit",
];
const result = spawnSync(process.execPath, ["--test", ...options, ...files], { stdio: "inherit" });
process.exit(result.status ?? 1);
