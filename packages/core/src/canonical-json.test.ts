import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalJson } from "./canonical-json.ts";

test("members are sorted by code units, at every depth", () => {
  const value = { b: [{ z: 1, a: 2 }], a: null, "\u20ac": 1, "\r": 2, "1": 3, "\u{1f600}": 4 };
  assert.equal(
    canonicalJson(value),
    '{"\\r":2,"1":3,"a":null,"b":[{"a":2,"z":1}],"\u20ac":1,"\u{1f600}":4}',
  );
});

test("numbers are written as ECMAScript does", () => {
  assert.equal(
    canonicalJson([333333333.3333333, 1e30, 4.5, 2e-3, -0]),
    "[333333333.3333333,1e+30,4.5,0.002,0]",
  );
});

test("undefined members are left out", () => {
  assert.equal(canonicalJson({ a: undefined, b: 1 }), '{"b":1}');
});

test("what JSON can't carry is refused", () => {
  assert.throws(() => canonicalJson(Number.NaN), TypeError);
  assert.throws(() => canonicalJson({ a: "\ud800" }), TypeError);
  assert.throws(() => canonicalJson({ "\ud800": 1 }), TypeError);
});
