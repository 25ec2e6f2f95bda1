// Object identifiers and times: what was written is read, and what DER does not allow is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { derWrite } from "../index.ts";
import { readDer, TAG } from "./read.ts";
import { derOid, derTime } from "./values.ts";

const time = (tag: number, text: string) =>
  derTime(readDer(derWrite.der(tag, new TextEncoder().encode(text))), "time");

test("object identifiers of any arcs give back what was written", () => {
  const arc = fc.oneof(fc.bigInt({ min: 0n, max: 1n << 127n }), fc.bigInt({ min: 0n, max: 300n }));
  const first = fc.oneof(
    fc.tuple(fc.constantFrom(0n, 1n), fc.bigInt({ min: 0n, max: 39n })),
    fc.tuple(fc.constant(2n), arc),
  );
  fc.assert(
    fc.property(first, fc.array(arc, { minLength: 1, maxLength: 2 }), (two, rest) => {
      const dotted = [...two, ...rest].join(".");
      assert.equal(derOid(readDer(derWrite.oid(dotted)), "oid"), dotted);
    }),
  );
  for (const bits of [45n, 46n, 47n, 52n, 53n, 54n]) {
    for (const value of [(1n << bits) - 1n, 1n << bits, (1n << bits) + 1n]) {
      const dotted = `2.25.${value}`;
      assert.equal(derOid(readDer(derWrite.oid(dotted)), "oid"), dotted);
    }
  }
});

test("times are what they say, in the years that each form has", () => {
  const date = fc.date({
    min: new Date("1950-01-01"),
    max: new Date("2049-12-31"),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(date, (any) => {
      const seconds = new Date(Math.floor(any.getTime() / 1000) * 1000);
      const digits = seconds.toISOString().replace(/[-:T]|\.000/g, "");
      assert.deepEqual(time(TAG.generalizedTime, digits), seconds);
      assert.deepEqual(time(TAG.utcTime, digits.slice(2)), seconds);
    }),
  );
  assert.deepEqual(time(TAG.generalizedTime, "00010203040506Z"), new Date("0001-02-03T04:05:06Z"));
  assert.deepEqual(time(TAG.generalizedTime, "99991231235959Z"), new Date("9999-12-31T23:59:59Z"));
});

test("times that are none are refused", () => {
  const refused: readonly (readonly [number, string])[] = [
    [TAG.generalizedTime, "20260231000000Z"],
    [TAG.generalizedTime, "20250229000000Z"],
    [TAG.generalizedTime, "20261301000000Z"],
    [TAG.generalizedTime, "20260001000000Z"],
    [TAG.generalizedTime, "20260100000000Z"],
    [TAG.generalizedTime, "20260101240000Z"],
    [TAG.generalizedTime, "20260101006000Z"],
    [TAG.generalizedTime, "20260101000060Z"],
    [TAG.generalizedTime, "20260101000000"],
    [TAG.generalizedTime, "20260101000000.1Z"],
    [TAG.generalizedTime, "20260101000000+0100"],
    [TAG.utcTime, "20260101000000Z"],
    [TAG.utcTime, "260101000000z"],
    [TAG.utcTime, "2601010000Z"],
    [TAG.printableString, "20260101000000Z"],
  ];
  for (const [tag, text] of refused) {
    assert.throws(() => time(tag, text), { code: "ENCODING_DER" }, text);
  }
});
