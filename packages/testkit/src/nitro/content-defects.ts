// Documents that read well and whose certificates are right, with exactly one defect in what they say or are bound to.
import { generateKeyPairSync, sign } from "node:crypto";
import { messageSigner, simulatedPcrs } from "@holdfast/attester";
import { concat, fromHex } from "@holdfast/core";
import { cborWrite as cbor } from "@holdfast/evidence";
import type { NitroDefect } from "./defect.ts";
import { filled } from "./world.ts";

const HOUR = 60 * 60 * 1000;

/** Defects of headers, signature, time, debug mode, PCRs and bindings. */
export const CONTENT_DEFECTS: readonly NitroDefect[] = [
  {
    name: "a protected header that says ES256",
    fails: ["nitro.headers", "nitro.signature"],
    changes: () => ({ protectedBytes: fromHex("a10126") }),
  },
  {
    name: "a second entry in the protected header",
    fails: ["nitro.headers"],
    changes: () => ({ protectedBytes: fromHex("a201382204413a") }),
  },
  {
    name: "an entry in the unprotected header",
    fails: ["nitro.headers"],
    changes: () => ({
      // The empty map after the five bytes of array head and protected header.
      document: (document) =>
        concat(document.subarray(0, 6), fromHex("a1044131"), document.subarray(7)),
    }),
  },
  {
    name: "another digest",
    fails: ["nitro.digest"],
    changes: () => ({ fields: (fields) => withField(fields, "digest", cbor.text("SHA256")) }),
  },
  {
    name: "a signature by another key than the leaf's",
    fails: ["nitro.signature"],
    changes: () => {
      const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
      return { sign: messageSigner(privateKey) };
    },
  },
  {
    name: "a payload changed after it was signed",
    fails: ["nitro.signature"],
    changes: ({ nonce }) => ({
      document: (document) => {
        const changed = document.slice();
        // A bit of the module's name: nothing else that is checked.
        const at = Buffer.from(document).indexOf("i-0123456789");
        changed[at] = (changed[at] ?? 0) ^ nonce.length;
        return changed;
      },
    }),
  },
  {
    name: "a signature in DER form",
    fails: ["nitro.signature"],
    changes: ({ chain }) => ({ sign: (bytes) => sign("sha384", bytes, chain.leafKey) }),
  },
  {
    name: "a signature of zeros",
    fails: ["nitro.signature"],
    changes: () => ({ sign: () => new Uint8Array(96) }),
  },
  {
    name: "a timestamp of zero",
    fails: ["nitro.time"],
    changes: () => ({ payload: { timestamp: 0 } }),
  },
  {
    name: "a document older than allowed",
    fails: ["nitro.time"],
    changes: ({ at }) => ({ payload: { timestamp: at.getTime() - 2 * HOUR } }),
    request: () => ({ maximumAge: HOUR }),
  },
  {
    name: "a document from the future",
    fails: ["nitro.time"],
    changes: ({ at }) => ({ payload: { timestamp: at.getTime() + HOUR } }),
  },
  {
    name: "a timestamp that no date can hold",
    fails: ["nitro.time"],
    changes: () => ({ payload: { timestamp: Number.MAX_SAFE_INTEGER } }),
  },
  {
    name: "debug mode: PCR0 to 2 zero, PCR3 and 4 not",
    fails: ["nitro.debug"],
    changes: () => ({
      payload: {
        pcrs: new Map([
          ...simulatedPcrs(filled(48, 0)),
          [1, filled(48, 0)],
          [2, filled(48, 0)],
          [3, filled(48, 9)],
          [4, filled(48, 9)],
        ]),
      },
    }),
    request: () => ({ pcrs: "waived" }),
  },
  {
    name: "PCR0 to 2 left out",
    fails: ["nitro.debug"],
    changes: () => ({ payload: { pcrs: new Map([[3, filled(48, 9)]]) } }),
    request: () => ({ pcrs: "waived" }),
  },
  {
    name: "another PCR0",
    fails: ["nitro.pcrs"],
    changes: () => ({ payload: { pcrs: simulatedPcrs(filled(48, 8)) } }),
  },
  {
    name: "a pinned PCR that is absent",
    fails: ["nitro.pcrs"],
    request: ({ image }) => ({
      pcrs: new Map([
        [0, image],
        [20, filled(48, 9)],
      ]),
    }),
  },
  {
    name: "a pinned PCR that is empty",
    fails: ["nitro.pcrs"],
    request: () => ({ pcrs: new Map([[0, new Uint8Array()]]) }),
  },
  {
    name: "a PCR pinned to zeros",
    fails: ["nitro.pcrs"],
    request: () => ({ pcrs: new Map([[5, filled(48, 0)]]) }),
  },
  {
    name: "a PCR pinned to its beginning only",
    fails: ["nitro.pcrs"],
    request: ({ image }) => ({ pcrs: new Map([[0, image.subarray(0, 32)]]) }),
  },
  {
    name: "no PCR pinned where pins were asked for",
    fails: ["nitro.pcrs"],
    request: () => ({ pcrs: new Map() }),
  },
  ...(["nonce", "userData", "publicKey"] as const).flatMap((member): NitroDefect[] => {
    const check = {
      nonce: "nitro.nonce",
      userData: "nitro.user-data",
      publicKey: "nitro.public-key",
    }[member];
    const field = { nonce: "nonce", userData: "user_data", publicKey: "public_key" }[member];
    return [
      {
        name: `another ${field}`,
        fails: [check],
        changes: (world) => ({ payload: { [member]: filled(world[member].length, 0xee) } }),
      },
      {
        name: `a ${field} that is null`,
        fails: [check],
        changes: () => ({ fields: (fields) => withField(fields, field, cbor.nothing) }),
      },
      {
        name: `no ${field} at all`,
        fails: [check],
        changes: () => ({ fields: (fields) => fields.filter(([name]) => name !== field) }),
      },
      {
        name: `a ${field} that only begins like the one asked for`,
        fails: [check],
        changes: (world) => ({
          payload: { [member]: concat(world[member], Uint8Array.of(0)) },
        }),
      },
      {
        name: `an empty ${field} asked for`,
        fails: [check],
        request: () => ({ [member]: new Uint8Array() }),
      },
    ];
  }),
];

type Field = readonly [name: string, value: Uint8Array];

function withField(fields: Field[], name: string, value: Uint8Array): Field[] {
  return fields.map((field) => (field[0] === name ? [name, value] : field));
}
