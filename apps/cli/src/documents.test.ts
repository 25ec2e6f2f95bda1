// Commands that documents, hints and help texts name are there, with the options that they name.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { suite, test } from "node:test";
import type { Command } from "commander";
import { buildCli } from "./cli.ts";
import { withoutAliases } from "./commands/client.ts";
import { HINTS } from "./hints.ts";
import { ROOT } from "./processes/checkout.ts";
import { caughtContext, run } from "./testing/run.ts";

const CLI = buildCli(caughtContext());
const DOCUMENTS = globSync(["*.md", "docs/**/*.md", "examples/*/README.md", "bench/**/*.md"], {
  cwd: ROOT,
  exclude: ["**/node_modules/**"],
});
/** Its code spans leave the first word out. */
const WITHOUT_NAME = ["docs/reference/command-line.md", "CHANGELOG.md"];

suite("commands that are named", () => {
  for (const name of DOCUMENTS) {
    test(`in ${name} are there`, () => {
      const text = readFileSync(resolve(ROOT, name), "utf8");
      const lines = [...namedIn(text), ...(WITHOUT_NAME.includes(name) ? shortIn(text) : [])];
      assert.deepEqual(lines.flatMap(faultsOf), []);
    });
  }

  test("in hints are there", () => {
    const lines = Object.values(HINTS).flatMap((hint) => hint.match(/holdfast [^;,.`]+/g) ?? []);
    assert.ok(lines.length > 20);
    assert.deepEqual(lines.flatMap(faultsOf), []);
  });

  test("in examples of help are there", async () => {
    for (const path of leavesOf(CLI)) {
      const { stdout } = await run([...path, "--help"]);
      const lines = [...stdout.matchAll(/^ {2}\$ (holdfast .*)$/gm)].map(([, line = ""]) => line);
      assert.ok(lines.length > 0, path.join(" "));
      assert.deepEqual(lines.flatMap(faultsOf), []);
    }
  });

  test("wrongly are found", () => {
    assert.deepEqual(faultsOf("holdfast key putt NAME"), ["holdfast key putt NAME: putt"]);
    assert.deepEqual(faultsOf("holdfast up --fast"), ["holdfast up --fast: --fast"]);
    assert.deepEqual(faultsOf("holdfast key put|show NAME [--json]"), []);
  });
});

/** Command lines in code spans and blocks, with the lines that go on with them. */
function namedIn(text: string): string[] {
  const whole = text.replace(/\\\n/g, " ").replace(/\n {8,}(?=\[?--)/g, " ");
  const found = whole.matchAll(/(?:^|`)(?:npm run )?(holdfast (?:-- )?[a-z][^`\n]*)/gm);
  return [...found].map(([, line = ""]) => line.replace("holdfast -- ", "holdfast "));
}

/** Code spans that begin with a command's own name. */
function shortIn(text: string): string[] {
  const names = CLI.commands.map((command) => command.name());
  return [...text.matchAll(/`([a-z-]+ [^`\n]+)`/g)]
    .map(([, span = ""]) => span)
    .filter((span) => names.includes(span.split(" ")[0] ?? ""))
    .map((span) => `holdfast ${span}`);
}

function faultsOf(line: string): string[] {
  let command: Command = CLI;
  const said = line.split("#")[0]?.split(/\s+/).slice(1) ?? [];
  const words = said[0] === "client" ? withoutAliases(said) : said;
  for (const word of words) {
    if (command.commands.length === 0 || !/^[a-z][a-z0-9|-]*$/.test(word)) break;
    const below = word.split("|").map((name) => command.commands.find((c) => c.name() === name));
    if (below.includes(undefined)) return [`${line}: ${word}`];
    command = below[0] ?? command;
  }
  const known = [...command.options, ...CLI.options].map(({ long }) => long);
  return words
    .map((word) => /^\[?(--[a-z0-9-]+)/.exec(word)?.[1])
    .filter((option) => option !== undefined && option !== "--help" && !known.includes(option))
    .map((option) => `${line}: ${option}`);
}

function leavesOf(command: Command, path: readonly string[] = []): (readonly string[])[] {
  if (command.commands.length === 0) return [path];
  return command.commands.flatMap((each) => leavesOf(each, [...path, each.name()]));
}
