// docs/reference/originals.md: its tables are the rows that are tested, and every test it names is there.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { PAGE, TABLES, withTables } from "./originals/page.ts";
import { standingOf } from "./originals/row.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const page = readFileSync(PAGE, "utf8");

test("the tables are the rows (node test/interop/originals/page.ts writes them)", () => {
  assert.equal(page, withTables(page));
});

test("every row in which ours is different says why", () => {
  for (const row of Object.values(TABLES).flat()) {
    if (standingOf(row) === "different") assert.ok(row.why, `${row.call}, ${row.about}`);
  }
});

test("every test that the page names is there", () => {
  const places = ["test/**/*.test.ts", "apps/{cli,control,keep}/src/**/*.test.ts"];
  const tests = places
    .flatMap((place) => globSync(place, { cwd: ROOT }))
    .map((path) => readFileSync(join(ROOT, path), "utf8"))
    .join("\n");
  const named = page
    .replace(/<!-- rows of [\s\S]*?<!-- end -->/g, "")
    .split("\n")
    .filter((line) => /^\| (?!---)/.test(line) && !/\| test( |$)/.test(line))
    .map((line) => line.split("|").at(-2)?.trim() ?? "");
  assert.ok(named.length > 15, `${named.length} rows`);
  const told = [...page.matchAll(/\*(?!\*)([^*]{15,})\*[ ,]/g)].map(([, name = ""]) => name);
  for (const name of [...named, ...told].map((each) => each.replace(/\s+/g, " "))) {
    assert.ok(name.length > 10 && tests.includes(name), `there is no test "${name}"`);
  }
  for (const [path] of page.matchAll(/(?:test|apps)\/[\w/-]+\.test\.ts/g)) {
    assert.ok(globSync(path, { cwd: ROOT }).length === 1, path);
  }
});
