// Reference values: what matches, and what must not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { matchReferenceValues, type ReferenceSet } from "../index.ts";

const AT = new Date("2026-06-01T10:00:00Z");
const CLAIMS = {
  moduleId: "i-1",
  timestamp: 5,
  debug: false,
  nonZeroPcrs: { "0": "aa", "1": "bb" },
};
const SET: ReferenceSet = {
  name: "keeps",
  type: "nitro",
  notAfter: AT,
  values: [
    { name: "old", claims: { "nonZeroPcrs.0": ["00"] } },
    { name: "new", claims: { "nonZeroPcrs.0": ["11", "aa"], "nonZeroPcrs.1": ["bb"] } },
  ],
};

function match(change: Partial<ReferenceSet> = {}, claims: object | undefined = CLAIMS) {
  return matchReferenceValues([{ ...SET, ...change }], "nitro", claims, AT);
}

function one(claims: Record<string, readonly string[]>) {
  return match({ values: [{ name: "one", claims }] }).check.outcome;
}

test("a value matches when all its claims do, and is named", () => {
  assert.deepEqual(match(), {
    check: { name: "reference.values", outcome: "passed", detail: "equals keeps/new" },
    matched: "keeps/new",
  });
  assert.equal(one({ timestamp: ["5"], debug: ["false"] }), "passed");
});

test("a value with one claim that differs does not match", () => {
  assert.equal(one({ "nonZeroPcrs.0": ["aa"], "nonZeroPcrs.1": ["cc"] }), "failed");
});

test("a claim that is absent, inherited, or no plain value does not match", () => {
  assert.equal(one({ "nonZeroPcrs.2": [""] }), "failed");
  assert.equal(one({ nonZeroPcrs: ["[object Object]"] }), "failed");
  assert.equal(one({ toString: [String(Object.prototype.toString)] }), "failed");
  assert.equal(one({ "moduleId.length": ["3"] }), "failed");
});

test("a value that names no claim, or a claim that accepts nothing, does not match", () => {
  assert.equal(one({}), "failed");
  assert.equal(one({ moduleId: [] }), "failed");
});

test("a set that has expired matches nothing, and is told of", () => {
  const { check } = match({ notAfter: new Date(AT.getTime() - 1) });
  assert.equal(check.outcome, "failed");
  assert.match(check.detail, /1 sets have expired/);
});

test("without a set for the type, or claims, nothing is compared", () => {
  assert.equal(match({ type: "snp" }).check.outcome, "not performed");
  const { check } = matchReferenceValues([SET], "nitro", undefined, AT);
  assert.equal(check.outcome, "not performed");
});
