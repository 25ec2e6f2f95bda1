// JSON that two readers could take for two policies is refused, and no text takes long.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  PolicyError,
  parseFunctionPolicy,
  parsePolicy,
  parseUserPolicy,
  parseVaasPolicy,
} from "./index.ts";
import { MAXIMUM_POLICY_TEXT, parseStrictJson } from "./strict-json.ts";
import { faultsOf } from "./testing/faults.ts";
import { policyText, userPolicy } from "./testing/seed-policies.ts";

const refused = (text: string, code: string) =>
  assert.deepEqual(
    faultsOf(() => parseStrictJson(text)),
    [`${code} `],
  );

test("what JSON.parse reads is read the same", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (text) => {
      assert.deepEqual(parseStrictJson(text), JSON.parse(text));
    }),
    { numRuns: 500 },
  );
});

test("JSON is refused for its fault", async (t) => {
  await t.test("syntax", () => refused('{"a":1,}', "JSON_SYNTAX"));
  await t.test("empty", () => refused("", "JSON_SYNTAX"));
  await t.test("open string", () => refused('{"a', "JSON_SYNTAX"));
  await t.test("byte order mark", () => refused("\ufeff{}", "JSON_SYNTAX"));
  await t.test("name twice", () => refused('{"a":1,"b":{"a":2},"a":3}', "JSON_DUPLICATE_NAME"));
  await t.test("name twice, spelled in two ways", () =>
    refused('{"a":1,"\\u0061":2}', "JSON_DUPLICATE_NAME"),
  );
  await t.test("name twice within", () =>
    refused('[{"x":{"a":[],"a":[]}}]', "JSON_DUPLICATE_NAME"),
  );
  await t.test("depth", () => refused("[".repeat(33) + "]".repeat(33), "JSON_TOO_DEEP"));
  await t.test("depth without end", () => refused("[".repeat(100_000), "JSON_TOO_DEEP"));
  await t.test("length", () => refused(" ".repeat(MAXIMUM_POLICY_TEXT + 1), "JSON_TOO_LONG"));
  await t.test("broken Unicode", () => refused('{"a":"\ud800"}', "JSON_CHARACTER"));
});

test("brackets and colons in strings are text", () => {
  assert.deepEqual(parseStrictJson('{"a":"[[\\"]{:","b":":"}'), { a: '[["]{:', b: ":" });
  assert.deepEqual(parseStrictJson('["a","a",{"a":"a"},{"a":"a"}]'), [
    "a",
    "a",
    { a: "a" },
    { a: "a" },
  ]);
});

test("long hostile texts are answered, not suffered", () => {
  const half = MAXIMUM_POLICY_TEXT / 2 - 8;
  refused(`"${'\\"'.repeat(half)}`, "JSON_SYNTAX");
  assert.equal((parseStrictJson(`"${"a".repeat(half)}"`) as string).length, half);
  refused('"'.repeat(MAXIMUM_POLICY_TEXT - 1), "JSON_SYNTAX");
});

test("no value makes a reader throw anything but its own error", () => {
  const rewrite = fc.tuple(fc.nat(policyText().length), fc.nat(40), fc.string({ unit: "binary" }));
  const text = fc.oneof(
    fc.json(),
    rewrite.map(
      ([at, length, put]) => policyText().slice(0, at) + put + policyText().slice(at + length),
    ),
  );
  const refusal = (read: () => unknown) => {
    try {
      read();
    } catch (thrown) {
      assert.ok(thrown instanceof PolicyError, String(thrown));
    }
  };
  fc.assert(
    fc.property(text, (random) => refusal(() => parsePolicy(random))),
    { numRuns: 500 },
  );
  const names = [
    "function",
    "identities",
    "programs",
    "file_rights",
    "certificate",
    "id",
    "holdfast",
  ];
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue(),
      fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), tie("any")),
      fc.array(tie("any")),
    ),
  })).any;
  fc.assert(
    fc.property(value, (random) => {
      refusal(() => parseUserPolicy(random));
      refusal(() => parseFunctionPolicy(random));
      refusal(() => parseVaasPolicy(random));
      refusal(() => parseUserPolicy({ ...userPolicy(), identities: random }));
      refusal(() => parsePolicy(policyText({ holdfast: random, programs: random })));
    }),
    { numRuns: 500 },
  );
});
