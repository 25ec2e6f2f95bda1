// Documents that break the format in exactly one thing; everything else, the signature included, is right.
import type { PayloadField } from "@holdfast/attester";
import { concat, fromHex } from "@holdfast/core";
import { cborWrite as cbor } from "@holdfast/evidence";
import type { NitroDefect } from "./defect.ts";
import { filled, type NitroChanges } from "./world.ts";

const REQUIRED = ["module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle"] as const;
const PCR = filled(48, 7);

/** Defects that the reader of documents must refuse. */
export const FORMAT_DEFECTS: readonly NitroDefect[] = [
  format("no bytes at all", { document: () => new Uint8Array() }),
  format("a document cut off in the middle", {
    document: (document) => document.subarray(0, document.length / 2),
  }),
  format("a document cut off by its last byte", {
    document: (document) => document.subarray(0, -1),
  }),
  format("a byte after the document", {
    document: (document) => concat(document, Uint8Array.of(0)),
  }),
  format("a document over the bound", {
    document: (document) => concat(document, new Uint8Array(16 * 1024)),
  }),
  format("another tag than COSE_Sign1", {
    document: (document) => concat(Uint8Array.of(0xd1), document),
  }),
  format("the tag of COSE_Sign1 twice", {
    document: (document) => concat(Uint8Array.of(0xd2, 0xd2), document),
  }),
  format("five members instead of four", {
    document: (document) => concat(Uint8Array.of(0x85), document.subarray(1), cbor.nothing),
  }),
  format("a protected header without algorithm", { protectedBytes: fromHex("a10441aa") }),
  format("a protected header with the algorithm twice", {
    protectedBytes: fromHex("a2013822013822"),
  }),
  format("a protected header that is no map", { protectedBytes: fromHex("820138") }),
  format("a byte after the protected header's map", { protectedBytes: fromHex("a101382200") }),
  format("an algorithm as text", { protectedBytes: fromHex("a101654553333834") }),
  format("a payload that is no map", { encode: () => cbor.array() }),
  format("a payload whose map does not end", {
    encode: (fields) =>
      cbor
        .indefiniteMap(...fields.map(([name, value]) => [cbor.text(name), value] as const))
        .subarray(0, -1),
  }),
  format("a byte after the payload's map", {
    encode: (fields) => concat(encode(fields), Uint8Array.of(0)),
  }),
  format("a field nobody knows", {
    fields: (fields) => [...fields, ["extra", cbor.nothing]],
  }),
  format("an integer as field name", {
    encode: (fields) => cbor.map(...entries(fields), [cbor.integer(1), cbor.nothing]),
  }),
  format("a field that stands twice", {
    fields: (fields) => [...fields, ...fields.filter(([name]) => name === "pcrs")],
  }),
  format("a PCR that stands twice", pcrs([cbor.integer(0), PCR], [cbor.integer(0), PCR])),
  format("a PCR index over 31", pcrs([cbor.integer(32), PCR])),
  format("a PCR index below zero", pcrs([cbor.integer(-1), PCR])),
  format("a PCR index as text", pcrs([cbor.text("0"), PCR])),
  format("a PCR of 47 bytes", pcrs([cbor.integer(0), filled(47, 7)])),
  format("an empty PCR", pcrs([cbor.integer(0), new Uint8Array()])),
  format("no PCR at all", pcrs()),
  format("a PCR that is no byte string", field("pcrs", cbor.map([cbor.integer(0), cbor.nothing]))),
  format("an integer longer than it need be", pcrs([fromHex("1800"), PCR])),
  ...REQUIRED.flatMap((name) => [
    format(`no ${name}`, {
      fields: (fields: PayloadField[]) => fields.filter(([own]) => own !== name),
    }),
    format(`a ${name} of another kind`, field(name, cbor.nothing)),
  ]),
  format("an empty module_id", field("module_id", cbor.text(""))),
  format("a module_id that is not UTF-8", field("module_id", fromHex("61ff"))),
  format("a negative timestamp", field("timestamp", cbor.integer(-1))),
  format("a timestamp of 64 bits", field("timestamp", cbor.integer(2n ** 64n - 1n))),
  format("a timestamp as floating point", field("timestamp", fromHex("f93c00"))),
  format("an empty certificate", field("certificate", cbor.bytes(new Uint8Array()))),
  format("a certificate over 1024 bytes", field("certificate", cbor.bytes(filled(1025, 0x30)))),
  format("a certificate that is none", field("certificate", cbor.bytes(filled(64, 0x30)))),
  {
    name: "a byte after the certificate",
    fails: ["nitro.format"],
    changes: ({ chain }) => field("certificate", cbor.bytes(concat(chain.leaf, Uint8Array.of(0)))),
  },
  format("an empty bundle", field("cabundle", cbor.array())),
  format(
    "an empty certificate in the bundle",
    field("cabundle", cbor.array(cbor.bytes(new Uint8Array()))),
  ),
  format("a bundle of too many", field("cabundle", cbor.array(...Array(11).fill(cbor.bytes(PCR))))),
  format("a nonce of 513 bytes", { payload: { nonce: filled(513, 1) } }),
  format("a user_data of 513 bytes", { payload: { userData: filled(513, 1) } }),
  format("a public_key of 1025 bytes", { payload: { publicKey: filled(1025, 1) } }),
  format("an empty public_key", { payload: { publicKey: new Uint8Array() } }),
  format("a nonce as text", field("nonce", cbor.text("nonce"))),
  format("a nonce in pieces", field("nonce", fromHex("5f4101ff"))),
  format("a nonce that is undefined", field("nonce", fromHex("f7"))),
  format(
    "a nonce nested a thousand deep",
    field("nonce", concat(filled(1000, 0x81), cbor.nothing)),
  ),
];

function format(name: string, changes: NitroChanges): NitroDefect {
  return { name, fails: ["nitro.format"], changes: () => changes };
}

function field(name: string, value: Uint8Array): NitroChanges {
  return {
    fields: (fields) => fields.map((own) => (own[0] === name ? [name, value] : own)),
  };
}

function pcrs(
  ...values: readonly (readonly [index: Uint8Array, value: Uint8Array])[]
): NitroChanges {
  return field(
    "pcrs",
    cbor.map(...values.map(([index, value]) => [index, cbor.bytes(value)] as const)),
  );
}

function entries(fields: readonly PayloadField[]): (readonly [Uint8Array, Uint8Array])[] {
  return fields.map(([name, value]) => [cbor.text(name), value]);
}

function encode(fields: readonly PayloadField[]): Uint8Array {
  return cbor.map(...entries(fields));
}
