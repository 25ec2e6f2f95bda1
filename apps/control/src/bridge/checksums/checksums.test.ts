// Checksums as S3 has them, on the values that their specifications give, and over parts however they are cut.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Crc } from "./crc.ts";
import { type Algorithm, compositeCheck, wholeCheck } from "./object-check.ts";

const DIGITS = Buffer.from("123456789");
/** Check values over the nine digits: the catalogue of CRCs, and NVMe's specification. */
const KNOWN: Readonly<Partial<Record<Algorithm, string>>> = {
  CRC32: "cbf43926",
  CRC32C: "e3069283",
  CRC64NVME: "ae8b14860a799888",
  MD5: "25f9e794323b453885f5181f1b624d0b",
};

describe("checksums of objects", () => {
  for (const [algorithm, hex] of Object.entries(KNOWN) as [Algorithm, string][]) {
    it(`${algorithm} is as its specification says`, () => {
      const check = wholeCheck(algorithm, Buffer.from(hex, "hex"));
      check.add(DIGITS);
      check.verify();
      check.verify();
    });

    it(`${algorithm} tells one changed bit`, () => {
      const check = wholeCheck(algorithm, Buffer.from(hex, "hex"));
      check.add(Buffer.from("123456788"));
      assert.throws(() => check.verify(), new RegExp(`${algorithm} is .*, its store says ${hex}`));
    });
  }

  it("of 64 bits are the same however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
        for (const make of [Crc.crc32c, Crc.crc64nvme]) {
          const [whole, cutUp, slow] = [make(), make(), make()];
          whole.update(bytes);
          cutUp.update(bytes.subarray(0, cut));
          cutUp.update(bytes.subarray(cut));
          for (const byte of bytes) slow.update(Uint8Array.of(byte));
          assert.deepEqual(whole.digest(), cutUp.digest());
          assert.deepEqual(whole.digest(), slow.digest());
        }
      }),
    );
  });

  it("of parts are checked by the parts' sizes", () => {
    const parts = ["first", "second part", "x"].map((text) => Buffer.from(text));
    const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();
    const expected = sha256(Buffer.concat(parts.map(sha256)));
    const sizes = parts.map(({ length }) => length);
    const check = compositeCheck("SHA256", expected, sizes);
    for (const byte of Buffer.concat(parts)) check.add(Uint8Array.of(byte));
    check.verify();
    const wrong = compositeCheck("SHA256", expected, [6, 10, 1]);
    wrong.add(Buffer.concat(parts));
    assert.throws(() => wrong.verify(), /SHA256/);
    const short = compositeCheck("SHA256", expected, sizes);
    short.add(Buffer.concat(parts).subarray(1));
    assert.throws(() => short.verify(), /fewer bytes/);
  });
});
