import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import { inEmptyDirectory, run, runJson } from "./testing/run.ts";
import { samplePolicy } from "./testing/sample-policy.ts";

suite("policy commands", () => {
  inEmptyDirectory();

  test("hash is that of the very bytes", async () => {
    const { text } = await samplePolicy();
    writeFileSync("p.json", text);
    const wanted = createHash("sha256").update(text).digest("hex");
    assert.equal((await run(["policy", "hash", "p.json"])).stdout, `${wanted}\n`);
    writeFileSync("q.json", `${text}\n`);
    assert.notEqual((await run(["policy", "hash", "q.json"])).stdout, `${wanted}\n`);
  });

  test("check lists every fault at once, with its place", async () => {
    const { text } = await samplePolicy();
    const broken = { ...JSON.parse(text), max_memory_mib: 0, ciphersuite: "ROT13" };
    writeFileSync("p.json", JSON.stringify(broken));
    const { code, stderr } = await run(["policy", "check", "p.json"]);
    assert.equal(code, 1);
    assert.match(stderr, /\/max_memory_mib/);
    assert.match(stderr, /\/ciphersuite/);
    const { value } = await runJson(["policy", "check", "p.json"]);
    assert.equal(value.error?.code, "POLICY_INVALID");
  });

  test("explain says who may do what", async () => {
    const { text } = await samplePolicy();
    writeFileSync("p.json", text);
    const { code, stdout } = await run(["policy", "explain", "p.json"]);
    assert.equal(code, 0);
    assert.match(stdout, /identity 1 \(user\)/);
    assert.match(stdout, /at and below \/program: may run programs/);
  });

  test("diff says what a change lets whom do", async () => {
    const { text } = await samplePolicy();
    writeFileSync("p.json", text);
    writeFileSync("q.json", text.replace('"debug": false', '"debug": true'));
    const { code, stdout } = await run(["policy", "diff", "p.json", "q.json"]);
    assert.equal(code, 0);
    assert.match(stdout, /\+ debug is true, was false/);
    assert.match((await run(["policy", "diff", "p.json", "p.json"])).stdout, /texts are the same/);
  });
});
