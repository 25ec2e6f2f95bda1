// Documents beside the log: each once, whole, for the owner alone, and no more in a minute than a disk can take.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { check } from "@holdfast/core";
import { basisFolderOf, NO_ENDORSEMENTS, parseRecord } from "@holdfast/evidence";
import { DecisionLog } from "./decision-log.ts";
import { KeptDocuments } from "./kept-documents.ts";

const MEBIBYTE = 1024 * 1024;

async function newFolder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-kept-"));
  t.after(() => rm(directory, { recursive: true }));
  return join(directory, "log.basis");
}

function document(fill: number, length: number) {
  const bytes = new Uint8Array(length).fill(fill);
  return { sha256: createHash("sha256").update(bytes).digest("hex"), bytes };
}

test("a document is written once, and known after a restart", async (t) => {
  const folder = await newFolder(t);
  const clock = { now: () => new Date(0) };
  const documents = [document(1, 10), document(2, 20), document(1, 10)];
  assert.equal(await (await KeptDocuments.open(folder, clock)).keep(documents), true);
  const [first] = documents;
  const path = join(folder, first?.sha256 ?? "");
  const { mtimeMs, mode } = await stat(path);
  assert.equal(mode & 0o777, 0o600);
  assert.equal(await (await KeptDocuments.open(folder, clock)).keep(documents), true);
  assert.equal((await stat(path)).mtimeMs, mtimeMs);
  assert.deepEqual((await readdir(folder)).length, 2);
});

test("what is new in a minute is bounded; what is there already is free", async (t) => {
  let now = 0;
  const kept = await KeptDocuments.open(await newFolder(t), { now: () => new Date(now) });
  assert.equal(await kept.keep([document(1, 15 * MEBIBYTE)]), true);
  assert.equal(await kept.keep([document(2, 2 * MEBIBYTE)]), false);
  assert.equal(await kept.keep([document(1, 15 * MEBIBYTE), document(3, 1024)]), true);
  now += 60_000;
  assert.equal(await kept.keep([document(2, 2 * MEBIBYTE)]), true);
});

test("a decision whose documents are too much is on the log all the same", async (t) => {
  const log = (await newFolder(t)).replace(/basis$/, "jsonl");
  const decisions = await DecisionLog.open(log, { now: () => new Date(0) });
  const facts = { number: 1 };
  const decision = { kind: "appraise", outcome: "refused", time: "", checks: [], facts };
  const parts = Array.from({ length: 20 }, (_, index) => ({
    name: String(index),
    bytes: new Uint8Array(MEBIBYTE).fill(index),
  }));
  const basis = { endorsements: { ...NO_ENDORSEMENTS, parts }, anchors: [] };
  await decisions.append({ ...decision, checks: [check("a", true, "")] }, basis);
  await decisions.close();
  const [line = ""] = (await readFile(log, "utf8")).split("\n");
  assert.deepEqual(parseRecord(line).facts, { number: 1, basis_passed_over: true });
  assert.deepEqual(await readdir(basisFolderOf(log)), []);
});
