// MRTD of small firmware, record by record, and what changes it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { concat, toHex, webCrypto } from "@holdfast/core";
import { encodeTdFirmware, type TdFirmwareFields, type TdSectionFields } from "@holdfast/testkit";
import fc from "fast-check";
import { EvidenceError, parseTdFirmware, tdxLaunchDigest } from "../index.ts";

const PAGE = 4096;
const OFFSET = 1024;

const CODE: TdSectionFields = [0, PAGE, 0xffffe000, PAGE, 0, 1];
const VARIABLES: TdSectionFields = [PAGE, 100, 0xffffd000, PAGE, 1, 0];
const SCRATCH: TdSectionFields = [0, 0, 0x810000, 2 * PAGE, 3, 0];
const MEMORY: TdSectionFields = [0, 0, 0, 8 * PAGE, 4, 2];

const firmware = (sections: readonly TdSectionFields[], fields: TdFirmwareFields = {}) =>
  encodeTdFirmware({ ...fields, sections });

const mark = (name: string, gpa: number) => {
  const record = new Uint8Array(128);
  record.set(new TextEncoder().encode(name));
  record.set(little(8, gpa), 16);
  return record;
};

test("pages that are added, contents that are measured, memory that comes later", async () => {
  const image = firmware([CODE, VARIABLES, SCRATCH, MEMORY]);
  const contents = Array.from({ length: 16 }, (_, index) => [
    mark("MR.EXTEND", 0xffffe000 + index * 256),
    image.subarray(index * 256, (index + 1) * 256),
  ]).flat();
  const wanted = createHash("sha384");
  for (const each of [
    mark("MEM.PAGE.ADD", 0xffffe000),
    ...contents,
    mark("MEM.PAGE.ADD", 0xffffd000),
    mark("MEM.PAGE.ADD", 0x810000),
    mark("MEM.PAGE.ADD", 0x811000),
  ]) {
    wanted.update(each);
  }
  assert.equal(toHex(await tdxLaunchDigest(image, webCrypto)), wanted.digest("hex"));
});

test("the order of pages counts as soon as a section has two", async () => {
  const one = firmware([CODE]);
  const two = firmware([[0, 2 * PAGE, 0xffffe000, 2 * PAGE, 0, 1]]);
  const digest = async (image: Uint8Array, order: "page" | "section") =>
    toHex(await tdxLaunchDigest(image, webCrypto, order));
  assert.equal(await digest(one, "page"), await digest(one, "section"));
  assert.notEqual(await digest(two, "page"), await digest(two, "section"));
});

test("what is short of its memory is measured as zeros", async () => {
  const image = firmware([[0, 300, 0x1000, PAGE, 0, 1]]);
  const wanted = createHash("sha384").update(mark("MEM.PAGE.ADD", 0x1000));
  const page = concat(image.subarray(0, 300), new Uint8Array(PAGE - 300));
  for (let at = 0; at < PAGE; at += 256) {
    wanted.update(mark("MR.EXTEND", 0x1000 + at)).update(page.subarray(at, at + 256));
  }
  assert.equal(toHex(await tdxLaunchDigest(image, webCrypto)), wanted.digest("hex"));
});

test("firmware that contradicts itself is refused", () => {
  const refused: readonly (readonly [Uint8Array, RegExp])[] = [
    [new Uint8Array(100), /whole pages/],
    [firmware([CODE], { guid: "00000000-0000-0000-0000-000000000000" }), /no TDX metadata/],
    [firmware([CODE], { signature: "TDVX" }), /without its signature/],
    [firmware([CODE], { version: 2 }), /version 2/],
    [firmware([[0, 3 * PAGE, 0, 3 * PAGE, 0, 1]]), /outside of it/],
    [firmware([[0, 0, 1, PAGE, 0, 0]]), /part pages/],
    [firmware([[0, 0, 0, 100, 0, 0]]), /part pages/],
    [firmware([[0, 2 * PAGE, 0, PAGE, 0, 1]]), /longer than its memory/],
    [firmware([[0, 0, 0, 2 ** 39, 3, 0]]), /pages to measure/],
    [firmware([[0, PAGE, 0, 8193 * PAGE, 0, 1]]), /8193 pages to measure/],
  ];
  for (const [image, message] of refused) assert.throws(() => parseTdFirmware(image), message);
});

test("random firmware is read with no error but our own", () => {
  const image = firmware([CODE, VARIABLES]);
  fc.assert(
    fc.property(
      fc.integer({ min: 2 * PAGE - OFFSET, max: 2 * PAGE - 1 }),
      fc.nat(255),
      (at, value) => {
        try {
          parseTdFirmware(image.with(at, value));
        } catch (thrown) {
          assert.ok(thrown instanceof EvidenceError, String(thrown));
        }
      },
    ),
    { numRuns: 500 },
  );
});

function little(length: number, value: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => Math.floor(value / 256 ** index) % 256);
}
