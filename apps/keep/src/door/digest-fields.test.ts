import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "@holdfast/core";
import { KeepError } from "../errors.ts";
import { digestField, parseDigest } from "./digest-fields.ts";

const HEX = "ab".repeat(32);

test("a SHA-256 is read, beside others too", () => {
  const field = digestField(HEX);
  assert.equal(toHex(parseDigest(field)!), HEX);
  assert.equal(toHex(parseDigest(`sha-512=:AAAA:, ${field}`)!), HEX);
  assert.equal(parseDigest(undefined), undefined);
});

test("what is no SHA-256 is refused, not passed over", () => {
  const bad = [
    "",
    "sha-256",
    "sha-256=AAAA",
    "sha-256=:AAAA:",
    "sha-512=:AAAA:",
    `${digestField(HEX)};q=1`,
  ];
  for (const field of [...bad, digestField(HEX).replace("=:q", "=:-")]) {
    assert.throws(
      () => parseDigest(field),
      (thrown) => thrown instanceof KeepError && thrown.code === "REQUEST_INVALID",
      field,
    );
  }
});
