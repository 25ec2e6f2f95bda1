import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  byteText,
  concat,
  equalBytes,
  fromBase64,
  fromBase64Url,
  fromHex,
  fromPem,
  fromText,
  sameBytes,
  toBase64,
  toBase64Url,
  toHex,
  toPem,
  toText,
} from "./index.ts";

test("text forms give back the same bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      assert.deepEqual(fromHex(toHex(bytes)), bytes);
      assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
      assert.deepEqual(fromBase64Url(toBase64Url(bytes)), bytes);
      assert.deepEqual(fromPem("X", toPem("X", bytes)), [bytes]);
    }),
  );
});

test("broken text forms are refused", () => {
  for (const text of ["0", "0g", " 00"])
    assert.throws(() => fromHex(text), { code: "ENCODING_HEX" });
  for (const text of ["A", "AA", "AB==", "AA==AA==", "A A="]) {
    assert.throws(() => fromBase64(text), { code: "ENCODING_BASE64" });
  }
  for (const text of ["A", "AB", "A+A"])
    assert.throws(() => fromBase64Url(text), { code: "ENCODING_BASE64" });
  assert.throws(() => toText(Uint8Array.of(0xff)), { code: "ENCODING_UTF8" });
});

test("PEM blocks are found by label, flattened ones too", () => {
  const text = `note\n${toPem("A", Uint8Array.of(1))}${toPem("B", Uint8Array.of(2))}${toPem("A", Uint8Array.of(3))}`;
  assert.deepEqual(fromPem("A", text), [Uint8Array.of(1), Uint8Array.of(3)]);
  assert.deepEqual(fromPem("A", "-----BEGIN A-----\nAQ==\n-----END A-----"), [Uint8Array.of(1)]);
  for (const broken of ["", "-----BEGIN A-----\nAQ==", "-----BEGIN A-----\n!\n-----END A-----"]) {
    assert.throws(() => fromPem("A", broken), { code: "ENCODING_PEM" });
  }
});

test("arrays compare and join", () => {
  assert.equal(equalBytes(fromText("ab"), concat(fromText("a"), fromText("b"))), true);
  assert.equal(equalBytes(fromText("ab"), fromText("ac")), false);
  assert.equal(equalBytes(fromText("ab"), fromText("abc")), false);
});

test("public bytes are the same or not, wherever they differ", () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, index) => index & 255);
  assert.ok(sameBytes(bytes, bytes));
  assert.ok(sameBytes(bytes, bytes.slice()));
  for (const at of [0, 2500, 4999]) {
    assert.ok(!sameBytes(bytes, bytes.with(at, (bytes[at] ?? 0) ^ 1)));
  }
  assert.ok(!sameBytes(bytes, bytes.subarray(1)));
  assert.ok(sameBytes(new Uint8Array(), new Uint8Array()));
});

test("every byte has its own character, however many there are", () => {
  const bytes = Uint8Array.from({ length: 10_000 }, (_, index) => index & 255);
  const text = byteText(bytes);
  assert.equal(text.length, bytes.length);
  assert.ok(bytes.every((byte, index) => text.charCodeAt(index) === byte));
});
