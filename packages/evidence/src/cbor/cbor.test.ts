// The reader against an independent encoder, and one refusal for each guard.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EncodingError, fromHex, toHex } from "@holdfast/core";
import { encode } from "cborg";
import fc from "fast-check";
import {
  type CborLimits,
  type CborNode,
  cborEntry,
  cborMap,
  cborWrite,
  readCbor,
} from "../index.ts";

type Value = string | bigint | boolean | null | Uint8Array | Value[] | Map<string | bigint, Value>;

function plain(node: CborNode): Value {
  switch (node.kind) {
    case "array":
      return node.items.map(plain);
    case "map":
      return new Map(node.entries.map(([key, value]) => [keyOf(key), plain(value)]));
    case "tag":
      throw new Error("no tags here");
    default:
      return node.value;
  }
}

function keyOf(node: CborNode): string | bigint {
  if (node.kind === "text" || node.kind === "integer") return node.value;
  throw new Error("no such keys here");
}

const { value: anyValue } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: "small" },
    fc.string({ unit: "grapheme" }),
    fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array().map((bytes) => new Uint8Array(bytes)),
    fc.array(tie("value"), { maxLength: 6 }),
    fc
      .array(
        fc.tuple(
          fc.oneof(fc.string(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n })),
          tie("value"),
        ),
        { maxLength: 6 },
      )
      .map((entries) => new Map(entries)),
  ),
}));

test("what an independent encoder writes is read as it was", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      assert.deepEqual(plain(readCbor(new Uint8Array(encode(value)))), value);
    }),
    { numRuns: 300 },
  );
});

test("what our writer writes is what the independent one writes", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      assert.equal(toHex(write(value)), toHex(encode(value, { mapSorter: () => 0 } as object)));
    }),
    { numRuns: 300 },
  );
});

test("any bytes give an item or an ENCODING error, never anything else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        readCbor(bytes);
      } catch (thrown) {
        assert.ok(thrown instanceof EncodingError);
      }
    }),
    { numRuns: 2000 },
  );
});

test("each node is a view of the very bytes it was read from", () => {
  const input = fromHex("a2616101616282f60a");
  const map = cborMap(readCbor(input), "map");
  const node = cborEntry(map, "b");
  assert.equal(toHex(node?.bytes ?? new Uint8Array()), "82f60a");
  assert.equal(node?.bytes.buffer, input.buffer);
});

test("maps and arrays of indefinite length are read", () => {
  assert.deepEqual(
    plain(readCbor(fromHex("bf61619f0102ff6162f5ff"))),
    new Map<string, Value>([
      ["a", [1n, 2n]],
      ["b", true],
    ]),
  );
});

const REFUSED: readonly (readonly [
  name: string,
  hex: string,
  message: RegExp,
  limits?: CborLimits,
])[] = [
  ["nothing", "", /ends before/],
  ["trailing bytes", "0000", /1 bytes after/],
  ["a cut head", "19ff", /past the input/],
  ["a cut string", "42ff", /past the input/],
  ["a cut array", "8201", /ends before/],
  ["an array that claims billions", "9bffffffffffffffff", /ends before/],
  ["a string that claims billions", "5bffffffffffffffff", /past the input/],
  ["a text key twice", "a2616101616102", /"a" stands twice/],
  ["an integer key twice", "a201010102", /1 stands twice/],
  ["a byte string key twice", "a2410101410102", /stands twice/],
  ["a key twice in an indefinite map", "bf01010102ff", /stands twice/],
  ["an array as key", "a18001", /key of kind array/],
  ["an integer of one byte too many", "1817", /shortest form/],
  ["an integer of two bytes too many", "1900ff", /shortest form/],
  ["an integer of four bytes too many", "1a0000ffff", /shortest form/],
  ["an integer of eight bytes too many", "1b00000000ffffffff", /shortest form/],
  ["a length of one byte too many", "580101", /shortest form/],
  ["a byte string in pieces", "5f4101ff", /0x5f/],
  ["a text in pieces", "7f6161ff", /0x7f/],
  ["a lone break", "ff", /0xff/],
  ["a break for a value", "bf01ff", /0xff/],
  ["text that is not UTF-8", "62c328", /UTF-8/],
  ["a half float", "f93c00", /0xf9/],
  ["a double", "fb3ff199999999999a", /0xfb/],
  ["undefined", "f7", /simple value/],
  ["an unassigned simple value", "e0", /simple value/],
  ["a reserved head", "1c", /0x1c/],
  ["nesting", `${"81".repeat(17)}00`, /nested over 16 deep/],
  ["nested tags", `${"c1".repeat(17)}00`, /nested over 16 deep/],
  ["nesting of thousands", "81".repeat(60_000), /nested over 16 deep/],
  ["more bytes than allowed", "4400000000", /at most 4/, { bytes: 4 }],
  ["more items than allowed", "83000000", /over 3 items/, { items: 3 }],
];

for (const [name, hex, message, limits] of REFUSED) {
  test(`refused: ${name}`, () => {
    assert.throws(
      () => readCbor(fromHex(hex), limits),
      (error: unknown) => error instanceof EncodingError && message.test(error.message),
    );
  });
}

function write(value: Value): Uint8Array {
  if (value === null) return cborWrite.nothing;
  if (typeof value === "boolean") return Uint8Array.of(value ? 0xf5 : 0xf4);
  if (typeof value === "bigint") return cborWrite.integer(value);
  if (typeof value === "string") return cborWrite.text(value);
  if (value instanceof Uint8Array) return cborWrite.bytes(value);
  if (Array.isArray(value)) return cborWrite.array(...value.map(write));
  return cborWrite.map(...[...value].map(([key, member]) => [write(key), write(member)] as const));
}
