// The log of decisions: whole across restarts and losses of power, and a change anywhere in it is seen.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { check, unmet, webCrypto } from "@holdfast/core";
import { type Decision, type DecisionRecord, verifyLog } from "@holdfast/evidence";
import type { TrustError } from "../errors.ts";
import { DecisionLog } from "./decision-log.ts";

async function newFile(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-log-"));
  t.after(() => rm(directory, { recursive: true }));
  return join(directory, "decisions.jsonl");
}

function decision(number: number): Decision {
  return {
    kind: "certify",
    outcome: "refused",
    time: "2026-06-01T10:00:00.000Z",
    checks: [check("challenge.open", false, `line ${number} with ünïcode`)],
    facts: { number },
  };
}

async function linesOf(file: string): Promise<string[]> {
  return (await readFile(file, "utf8")).trimEnd().split("\n");
}

async function fill(file: string, count: number, from = 0): Promise<void> {
  const log = await DecisionLog.open(file);
  // All at once: the log puts them in a row.
  await Promise.all(
    Array.from({ length: count }, (_, index) => log.append(decision(from + index))),
  );
  await log.close();
}

test("decisions stand in the order they were made, also across restarts", async (t) => {
  const file = await newFile(t);
  await fill(file, 3);
  await fill(file, 2, 3);
  const numbers: unknown[] = [];
  const verdict = await verifyLog(await linesOf(file), webCrypto, ({ facts }) =>
    numbers.push(facts["number"]),
  );
  assert.deepEqual(unmet(verdict.checks), []);
  assert.deepEqual(numbers, [0, 1, 2, 3, 4]);
  assert.equal(verdict.count, 5);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test("a last line that was cut off is removed, and the chain goes on", async (t) => {
  const file = await newFile(t);
  await fill(file, 2);
  await appendFile(file, '{"sequence":2,"prev');
  await fill(file, 1, 2);
  const verdict = await verifyLog(await linesOf(file), webCrypto);
  assert.deepEqual(unmet(verdict.checks), []);
  assert.equal(verdict.count, 3);
});

test("a first line that was cut off leaves an empty log", async (t) => {
  const file = await newFile(t);
  await writeFile(file, '{"sequ');
  await fill(file, 1);
  assert.deepEqual(unmet((await verifyLog(await linesOf(file), webCrypto)).checks), []);
});

test("a decision too long for a line is named by its hashes, and the log opens again", async (t) => {
  const file = await newFile(t);
  const log = await DecisionLog.open(file);
  const long = "x".repeat(300 * 1024);
  await log.append({ ...decision(0), evidence: long, facts: { number: 0, content: long } });
  await log.close();
  await fill(file, 1, 1);
  const records: DecisionRecord[] = [];
  const { checks } = await verifyLog(await linesOf(file), webCrypto, (each) => records.push(each));
  assert.deepEqual(unmet(checks), []);
  const hash = createHash("sha256").update(long).digest("hex");
  assert.equal(records[0]?.evidence, undefined);
  assert.deepEqual(records[0]?.facts, { number: 0, content_sha256: hash, evidence_sha256: hash });
});

test("a log whose last line is no decision is refused", async (t) => {
  const file = await newFile(t);
  await writeFile(file, "something else\n");
  await assert.rejects(
    DecisionLog.open(file),
    (error: TrustError) => error.code === "LOG_UNUSABLE",
  );
});

const TAMPERED: readonly (readonly [
  name: string,
  tamper: (lines: string[]) => string[],
  failed: readonly string[],
])[] = [
  [
    "a line changed",
    (lines) => lines.with(1, lines[1]!.replace("refused", "issued ")),
    ["log.chain"],
  ],
  ["a line taken out", (lines) => lines.toSpliced(1, 1), ["log.sequence", "log.chain"]],
  ["the first line taken out", (lines) => lines.slice(1), ["log.sequence", "log.chain"]],
  ["a line put in", (lines) => lines.toSpliced(1, 0, lines[1]!), ["log.sequence", "log.chain"]],
  [
    "two lines exchanged",
    (lines) => lines.with(1, lines[2]!).with(2, lines[1]!),
    ["log.sequence", "log.chain"],
  ],
  ["a line that is no JSON", (lines) => lines.with(1, "{"), ["log.format", "log.chain"]],
  [
    "a line that is another thing",
    (lines) => lines.with(1, '{"sequence":1}'),
    ["log.format", "log.chain"],
  ],
];

for (const [name, tamper, failed] of TAMPERED) {
  test(`seen: ${name}`, async (t) => {
    const file = await newFile(t);
    await fill(file, 4);
    const { checks } = await verifyLog(tamper(await linesOf(file)), webCrypto);
    assert.deepEqual(
      unmet(checks).map((each) => each.name),
      failed,
    );
  });
}

test("lines cut off the end leave another head than the one noted", async (t) => {
  const file = await newFile(t);
  await fill(file, 3);
  const lines = await linesOf(file);
  const [whole, cut] = [
    await verifyLog(lines, webCrypto),
    await verifyLog(lines.slice(0, 2), webCrypto),
  ];
  assert.deepEqual(unmet(cut.checks), []);
  assert.notEqual(whole.head, cut.head);
});
