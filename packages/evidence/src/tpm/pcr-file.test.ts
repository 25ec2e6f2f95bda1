// Files of PCR values that the TPM tools wrote, and files with one thing wrong.
import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "@holdfast/core";
import { encodePcrFile } from "@holdfast/testkit";
import fc from "fast-check";
import { EvidenceError } from "../index.ts";
import { vectorBytes, vectorJson, WITH_VECTORS } from "../testing/vectors.ts";
import { parsePcrFile } from "./pcr-file.ts";

const DIGEST = 66;

for (const name of ["swtpm-ecc-p256", "swtpm-rsa-ssa"]) {
  test(`${name}: the values that stand in JSON beside it`, WITH_VECTORS, () => {
    const expected = vectorJson<Record<string, Record<string, string>>>(`tpm/${name}/pcrs.json`);
    const values = parsePcrFile(vectorBytes(`tpm/${name}/quote.pcrs`));
    for (const [bank, bankValues] of values) {
      for (const [index, value] of bankValues) {
        assert.equal(toHex(value), expected[bank]?.[String(index)], `${bank}:${index}`);
      }
    }
    assert.ok(values.size > 0);
  });
}

test("more values than one list holds", () => {
  const indices = [0, 1, 2, 3, 4, 5, 6, 7, 9, 14, 23];
  const values = parsePcrFile(encodePcrFile(indices)).get("sha256");
  assert.deepEqual([...(values?.keys() ?? [])], indices);
  for (const [index, value] of values ?? [])
    assert.deepEqual(value, new Uint8Array(32).fill(index));
});

test("one thing wrong", () => {
  const good = encodePcrFile([0, 7]);
  const refused: [string, Uint8Array, RegExp][] = [
    ["a byte too many", Uint8Array.of(...good, 0), /669 bytes/],
    ["a byte too few", good.subarray(1), /667 bytes/],
    ["no list", new Uint8Array(136), /136 bytes/],
    ["no bank", good.with(0, 0), /0 banks/],
    ["too many banks", good.with(0, 17), /17 banks/],
    ["an unknown bank", encodePcrFile([0, 7], 0x12), /bank 12h/],
    ["a long selection", good.with(6, 5), /selection of 5 bytes/],
    ["another number of lists", good.with(132, 2), /number of lists/],
    ["a long list", good.with(136, 9), /9 digests/],
    ["a value missing", good.with(136, 1), /1 values of 2 PCRs/],
    ["a value too many", good.with(136, 3), /3 values of 2 PCRs/],
    ["values of another bank", encodePcrFile([0, 7], 11, 20), /not of bank sha256/],
    ["a value of no length", good.with(140, 0), /not of bank sha256/],
    ["a value of any length", good.with(141, 255), /not of bank sha256/],
  ];
  for (const [name, file, message] of refused) {
    assert.throws(() => parsePcrFile(file), { name: "EvidenceError", message }, name);
  }
});

test("one bank twice with one PCR", () => {
  const file = encodePcrFile([7]);
  const view = new DataView(file.buffer);
  view.setUint32(0, 2, true);
  file.copyWithin(12, 4, 12);
  view.setUint32(136, 2, true);
  file.copyWithin(140 + DIGEST, 140, 140 + DIGEST);
  assert.throws(() => parsePcrFile(file), /PCR 7 stands twice/);
});

test("random changes end in values or in an error of our own", () => {
  const good = encodePcrFile([0, 1, 2, 7, 8, 9, 10, 11, 16]);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, value) => {
      try {
        parsePcrFile(good.with(at, value));
      } catch (thrown) {
        assert.ok(thrown instanceof EvidenceError, String(thrown));
      }
    }),
    { numRuns: 1000 },
  );
});
