import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import { inEmptyDirectory } from "../testing/run.ts";
import { entropy, hexdump, keyForms, searchFiles, searchMemory } from "./attacker.ts";
import { PatternSearch } from "./pattern-search.ts";

const PART = 4 * 1024 * 1024;

suite("what an attacker saw", () => {
  inEmptyDirectory();

  test("a key is found in each form it is written in, and nothing where it is not", () => {
    const key = randomBytes(16);
    mkdirSync("deep/er", { recursive: true });
    writeFileSync("deep/er/raw", Buffer.concat([randomBytes(77), key, randomBytes(5)]));
    writeFileSync("hex.json", JSON.stringify({ key: key.toString("hex") }));
    writeFileSync("log", `key=${key.toString("base64")}\n`);
    writeFileSync("innocent", randomBytes(1000));
    const { files, found } = searchFiles(["."], keyForms("key", key));
    assert.equal(files, 4);
    assert.deepEqual(found.toSorted(), [
      "key (base64) in log",
      "key (hex) in hex.json",
      "key (raw) in deep/er/raw",
    ]);
    assert.deepEqual(searchFiles(["."], keyForms("other", randomBytes(16))).found, []);
  });

  test("a pattern on the border of two parts is found", () => {
    const secret = randomBytes(24);
    for (const at of [PART - 23, PART - 12, PART - 1, PART]) {
      const bytes = Buffer.alloc(PART + 100);
      secret.copy(bytes, at);
      writeFileSync("border", bytes);
      const { found } = searchFiles(["."], [{ what: "secret", bytes: secret }]);
      assert.ok(found.includes("secret in border"), `at ${at}`);
    }
  });

  test("patterns that begin alike are told apart", () => {
    const search = new PatternSearch([
      { what: "one", bytes: Uint8Array.of(1, 2, 3) },
      { what: "two", bytes: Uint8Array.of(1, 2, 4) },
    ]);
    search.search(Uint8Array.of(0, 1, 2, 1, 2, 4));
    assert.deepEqual([...search.found], ["two"]);
  });

  test("our own memory is searched, where the system lets us", (context) => {
    const held = randomBytes(24);
    const result = searchMemory(process.pid, [{ what: "held", bytes: held }]);
    if (result === undefined) return context.skip("no /proc with memory here");
    assert.deepEqual(result.found, ["held"]);
    assert.equal(searchMemory(2 ** 30, [{ what: "held", bytes: held }]), undefined);
  });

  test("random bytes have nearly 8 bits a byte, text far fewer", () => {
    assert.ok(entropy(randomBytes(65_536)) > 7.99);
    assert.ok(entropy(Buffer.from("all work and no play ".repeat(100))) < 4);
    assert.equal(entropy(new Uint8Array(10)), 0);
  });

  test("a hexdump has sixteen bytes a line", () => {
    assert.deepEqual(hexdump(Buffer.from("0123456789abcdefXYZ\x07")), [
      "000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef",
      "000010  58 59 5a 07                                      XYZ.",
    ]);
  });
});
