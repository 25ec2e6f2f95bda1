// README's commands are true: those of its blocks run in an empty directory, in their order, and every other one that
// it names is known, with the options it names.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { suite, test } from "node:test";
import { freePorts } from "./free-ports.ts";
import { ROOT, type Running, run, start } from "./holdfast.ts";

const TEXT = readFileSync(resolve(ROOT, "README.md"), "utf8");
const { scripts } = JSON.parse(readFileSync(resolve(ROOT, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};
const HOLDFAST = "npm run holdfast -- ";
/** Too long to be run here: the demo has a test of its own, and the rest is what CI does. */
const ELSEWHERE = new Set(["npm ci", "npm run demo", "npm test"]);

suite("README's commands", () => {
  test("in blocks run as they stand there", async () => {
    const directory = await mkdtemp(join(tmpdir(), "holdfast-readme-"));
    const lasting: Running[] = [];
    try {
      for (const line of blockLines(TEXT)) {
        if (ELSEWHERE.has(line)) continue;
        assert.ok(line.startsWith(HOLDFAST), `${line}: this test does not know how to run it`);
        const argv = wordsOf(line.slice(HOLDFAST.length));
        if (argv[0] === "up") {
          const up = start([...argv, ...(await otherPorts())], { cwd: directory, lasting: true });
          lasting.push(up);
          await up.until(/Ctrl-C ends everything/);
        } else {
          const { code, stderr } = await run(argv, { cwd: directory });
          assert.equal(code, 0, `${line}: ${stderr}`);
        }
      }
    } finally {
      for (const each of lasting) each.child.kill("SIGINT");
      await Promise.all(lasting.map(({ done }) => done));
      await rm(directory, { recursive: true, force: true });
    }
  });

  test("in sentences are commands, and their options are options", async () => {
    const named = codeSpans(TEXT).filter((each) => each.startsWith(HOLDFAST));
    assert.ok(named.length > 5);
    const commands = new Map<string, Set<string>>();
    for (const each of named) {
      const words = wordsOf(each.slice(HOLDFAST.length));
      // A name in capitals stands for what a person puts there.
      const end = words.findIndex((word) => !/^[a-z][a-z-]*$/.test(word));
      const path = words.slice(0, end < 0 ? words.length : end).join(" ");
      const options = commands.get(path) ?? new Set();
      commands.set(path, options);
      for (const word of words) if (word.startsWith("--")) options.add(word);
    }
    await Promise.all(
      [...commands].map(async ([path, options]) => {
        const { code, stdout } = await run([...path.split(" "), "--help"], { cwd: ROOT });
        assert.equal(code, 0, path);
        assert.match(stdout, new RegExp(`^Usage: holdfast ${path}\\b`), path);
        for (const option of options) {
          assert.match(stdout, new RegExp(`${option}\\b`), `${path} ${option}`);
        }
      }),
    );
  });

  test("of npm are scripts", () => {
    const names = [...TEXT.matchAll(/npm run ([a-z:]+)/g)].map(([, name = ""]) => name);
    assert.deepEqual(
      [...new Set(names)].filter((name) => scripts[name] === undefined),
      [],
    );
  });
});

async function otherPorts(): Promise<string[]> {
  const [attestation, vaas, ccfaas, s3, keeps] = await freePorts(5);
  const ports = { attestation, vaas, ccfaas, s3, keeps };
  return [
    "--ports",
    Object.entries(ports)
      .map((each) => each.join("="))
      .join(","),
  ];
}

/** Command lines of fenced blocks, without comments. */
function blockLines(text: string): string[] {
  return [...text.matchAll(/^```\w*\n(.*?)^```$/gms)]
    .flatMap(([, block = ""]) => block.split("\n"))
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "");
}

/** What stands in code spans outside of blocks. */
function codeSpans(text: string): string[] {
  const outside = text.replace(/^```.*?^```$/gms, "");
  return [...outside.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
