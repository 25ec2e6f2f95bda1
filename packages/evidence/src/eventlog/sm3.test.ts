// SM3 against OpenSSL's, around the edges of its blocks.
import assert from "node:assert/strict";
import { createHash, getHashes } from "node:crypto";
import { test } from "node:test";
import { fromText, toHex } from "@holdfast/core";
import { sm3 } from "./sm3.ts";

test("the examples of the standard", () => {
  assert.equal(
    toHex(sm3(fromText("abc"))),
    "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
  );
  assert.equal(
    toHex(sm3(fromText("abcd".repeat(16)))),
    "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732",
  );
});

const skip = getHashes().includes("sm3") ? false : "this OpenSSL has no SM3";
test("every length up to three blocks", { skip }, () => {
  for (let length = 0; length <= 192; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 7 + length) & 255);
    assert.equal(toHex(sm3(bytes)), createHash("sm3").update(bytes).digest("hex"), String(length));
  }
});
