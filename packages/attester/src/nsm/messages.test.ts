// The module's messages: there and back, and any bytes give a message or our own error.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex } from "@holdfast/core";
import fc from "fast-check";
import {
  AttesterError,
  type EvidenceInput,
  encodeAttestationRequest,
  encodeResponse,
  parseAttestationRequest,
  parseResponse,
} from "../index.ts";

const bytes = (most: number) =>
  fc.uint8Array({ maxLength: most }).map((value) => new Uint8Array(value));

test("requests and responses are read as they were written", () => {
  const request = fc.record(
    { nonce: bytes(512), userData: bytes(512), publicKey: bytes(1024) },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(request, bytes(2000), (input: EvidenceInput, document) => {
      assert.deepEqual(parseAttestationRequest(encodeAttestationRequest(input)), { ...input });
      fc.pre(document.length > 0);
      const response = { kind: "attestation", document } as const;
      assert.deepEqual(parseResponse(encodeResponse(response)), response);
    }),
    { numRuns: 100 },
  );
  const error = { kind: "error", reason: "InvalidArgument" } as const;
  assert.deepEqual(parseResponse(encodeResponse(error)), error);
});

test("a request has the shape of the module's own driver", () => {
  assert.equal(
    toHex(encodeAttestationRequest({ nonce: Uint8Array.of(1, 2) })),
    "a16b4174746573746174696f6ea369757365725f64617461f6656e6f6e63654201026a7075626c69635f6b6579f6",
  );
});

test("any bytes give a message or our own error", () => {
  const valid = encodeAttestationRequest({ nonce: new Uint8Array(32) });
  const mutated = fc
    .tuple(fc.nat(valid.length - 1), fc.nat(255))
    .map(([at, value]) => valid.with(at, value));
  fc.assert(
    fc.property(fc.oneof(bytes(100), mutated), (input) => {
      for (const parse of [parseAttestationRequest, parseResponse]) {
        try {
          parse(input);
        } catch (thrown) {
          assert.ok(thrown instanceof AttesterError && thrown.code === "ATTESTER_PROTOCOL");
        }
      }
    }),
    { numRuns: 1000 },
  );
});

const REFUSED: readonly (readonly [name: string, hex: string])[] = [
  ["no bytes", ""],
  ["another call", "6b4465736372696265"],
  ["two calls at once", "a26b4174746573746174696f6ea06161a0"],
  ["a field nobody knows", "a16b4174746573746174696f6ea16161f6"],
  ["a field twice", "a16b4174746573746174696f6ea2656e6f6e6365f6656e6f6e6365f6"],
  ["a nonce as text", "a16b4174746573746174696f6ea1656e6f6e63656161"],
  ["a byte after it", "a16b4174746573746174696f6ea000"],
];

for (const [name, hex] of REFUSED) {
  test(`refused: a request with ${name}`, () => {
    assert.throws(
      () => parseAttestationRequest(fromHex(hex)),
      (error: AttesterError) => error.code === "ATTESTER_PROTOCOL",
    );
  });
}
