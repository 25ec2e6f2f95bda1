// A keep's request for a key: one text for one request, and no other text is one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalJson, fromText, HoldfastError, toText } from "@holdfast/core";
import fc from "fast-check";
import { MAXIMUM_RELEASE_REQUEST, makeReleaseRequest, parseReleaseRequest } from "../index.ts";

const POLICY = '{ "text": "a policy’s exact text" }\n';
const { bytes, privateKey } = makeReleaseRequest({ name: "model.key-1", policyText: POLICY });
const GOOD = JSON.parse(toText(bytes));

test("a request is read back", () => {
  const { name, policyText, recipient } = parseReleaseRequest(bytes);
  assert.equal(name, "model.key-1");
  assert.equal(policyText, POLICY);
  const { d: _, ...own } = privateKey.export({ format: "jwk" });
  assert.deepEqual(recipient.export({ format: "jwk" }), own);
});

test("every request has a key of its own", () => {
  const again = makeReleaseRequest({ name: "model.key-1", policyText: POLICY });
  assert.notDeepEqual(again.bytes, bytes);
});

const { jwk } = GOOD;
const BAD: readonly (readonly [name: string, value: object])[] = [
  ["a member that is not known", { ...GOOD, more: 1 }],
  ["a member missing", { ...GOOD, policy: undefined }],
  ["another type", { ...GOOD, type: "holdfast-key" }],
  ["a name with a slash", { ...GOOD, key: "a/b" }],
  ["a name in capitals", { ...GOOD, key: "Model" }],
  ["a name of 129 characters", { ...GOOD, key: "a".repeat(129) }],
  ["a policy that is no text", { ...GOOD, policy: {} }],
  ["a private member in the key", { ...GOOD, jwk: { ...privateKey.export({ format: "jwk" }) } }],
  ["a member of the key that is not known", { ...GOOD, jwk: { ...jwk, use: "enc" } }],
  ["a key of another kind", { ...GOOD, jwk: { ...jwk, kty: "OKP" } }],
  ["a key on another curve", { ...GOOD, jwk: { ...jwk, crv: "P-384" } }],
  ["a point off the curve", { ...GOOD, jwk: { ...jwk, y: jwk.x } }],
  ["a point at zero", { ...GOOD, jwk: { ...jwk, x: "A".repeat(43), y: "A".repeat(43) } }],
  ["a coordinate of 31 bytes", { ...GOOD, jwk: { ...jwk, x: "A".repeat(42) } }],
  ["a coordinate of 33 bytes", { ...GOOD, jwk: { ...jwk, x: "A".repeat(44) } }],
  ["a coordinate with spare bits", { ...GOOD, jwk: { ...jwk, x: `${jwk.x.slice(0, -1)}_` } }],
  ["a coordinate that is no text", { ...GOOD, jwk: { ...jwk, x: 1 } }],
  ["no key", { ...GOOD, jwk: null }],
  ["a list", [GOOD]],
];

for (const [name, value] of BAD) {
  test(`refused: ${name}`, () => refused(canonicalJson(value as never)));
}

const TEXT = canonicalJson(GOOD);
const TEXTS: readonly (readonly [name: string, text: string | Uint8Array])[] = [
  ["nothing", ""],
  ["no JSON", "{"],
  ["a space at the end", `${TEXT} `],
  ["a space in between", TEXT.replace(",", ", ")],
  ["members in another order", JSON.stringify({ type: GOOD.type, ...GOOD })],
  ["a member that stands twice", TEXT.replace("{", '{"key":"other",')],
  ["a member of the key that stands twice", TEXT.replace('"jwk":{', '"jwk":{"crv":"P-256",')],
  ["another spelling of a character", TEXT.replace("model", "\\u006dodel")],
  ["a byte order mark", `\uFEFF${TEXT}`],
  ["broken UTF-8", Uint8Array.of(...fromText(TEXT), 0xff)],
  ["half a character", TEXT.replace("’", "\\ud800")],
  ["deep nesting", "[".repeat(400_000)],
  ["deep nesting in a member", TEXT.replace('"P-256"', `${"[".repeat(9e4)}${"]".repeat(9e4)}`)],
  ["one byte over the bound", canonicalJson({ ...GOOD, policy: fill(1) })],
];

for (const [name, text] of TEXTS) {
  test(`refused: ${name}`, () => refused(text));
}

test("a request of the greatest length is read", () => {
  const longest = fromText(canonicalJson({ ...GOOD, policy: fill(0) }));
  assert.equal(longest.length, MAXIMUM_RELEASE_REQUEST);
  assert.equal(parseReleaseRequest(longest).name, "model.key-1");
});

test("a policy that is too long makes no request", () => {
  const policyText = "x".repeat(MAXIMUM_RELEASE_REQUEST);
  const code = "KEY_REQUEST_MALFORMED";
  assert.throws(() => makeReleaseRequest({ name: "model", policyText }), { code });
});

test("no change of bytes reads as another request, and nothing but our error comes of it", () => {
  const noise = fc.record({
    at: fc.nat(bytes.length - 1),
    cut: fc.nat(8),
    put: fc.oneof(fc.uint8Array({ maxLength: 16 }), fc.json({ maxDepth: 3 }).map(fromText)),
  });
  fc.assert(
    fc.property(noise, ({ at, cut, put }) => {
      const changed = Uint8Array.of(...bytes.subarray(0, at), ...put, ...bytes.subarray(at + cut));
      const read = outcome(changed);
      // Whatever reads as a request is its one text.
      assert.ok(read === undefined || canonicalJson(JSON.parse(toText(changed))) === read);
    }),
    { numRuns: 500, interruptAfterTimeLimit: 5_000 },
  );
});

function outcome(untrusted: Uint8Array): string | undefined {
  try {
    parseReleaseRequest(untrusted);
    return toText(untrusted);
  } catch (thrown) {
    assert.ok(thrown instanceof HoldfastError && thrown.code === "KEY_REQUEST_MALFORMED");
    return undefined;
  }
}

function fill(over: number): string {
  const without = fromText(canonicalJson({ ...GOOD, policy: "" })).length;
  return "x".repeat(MAXIMUM_RELEASE_REQUEST - without + over);
}

function refused(untrusted: string | Uint8Array): void {
  const bytes = typeof untrusted === "string" ? fromText(untrusted) : untrusted;
  assert.throws(() => parseReleaseRequest(bytes), { code: "KEY_REQUEST_MALFORMED" });
}
