// Quotes of a TPM in software: structures written byte by byte, signed by keys of our own, changed exactly as told.
import { constants, createHash, type KeyObject, sign } from "node:crypto";
import { concat, toHex, webCrypto } from "@holdfast/core";
import {
  NO_ENDORSEMENTS,
  nameOf,
  type PcrValues,
  parsePublicArea,
  parseTpmSignature,
  type TpmEvidence,
  type TpmRequest,
} from "@holdfast/evidence";
import { newKeys } from "../pki/party.ts";

/** Kinds of attestation key. */
export type TpmKeyKind = "ecc" | "rsassa" | "rsapss";

/** One bank of a quote: its algorithm number, and which PCRs. */
export interface TpmBankFields {
  readonly algorithm: number;
  readonly name: "sha1" | "sha256" | "sha384";
  readonly indices: readonly number[];
}

/** What to change of a quote; everything else, signature included, is right. */
export interface TpmChanges {
  readonly kind?: TpmKeyKind;
  readonly magic?: number;
  readonly type?: number;
  readonly nonce?: Uint8Array;
  readonly attributes?: number;
  readonly banks?: readonly TpmBankFields[];
  readonly digest?: Uint8Array;
  readonly signer?: KeyObject;
  readonly hash?: "sha1" | "sha256";
  readonly clockSafe?: number;
  /** Length of the salt of RSAPSS; the hash's when absent. */
  readonly salt?: number;
  readonly afterSigning?: (quote: Uint8Array) => Uint8Array;
  readonly values?: (values: Map<number, Uint8Array>) => void;
  /** Leaves the public area out: the evidence names only the key. */
  readonly bare?: boolean;
}

export const TPM_NONCE: Uint8Array = new Uint8Array(32).fill(4);
/** fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign. */
export const AK_ATTRIBUTES = 0x0005_0072;
const SHA256_BANK: TpmBankFields = { algorithm: 0x0b, name: "sha256", indices: [0, 7, 16] };
const HASH_NUMBER = { sha1: 0x04, sha256: 0x0b } as const;
const SCHEMES = { ecc: 0x18, rsassa: 0x14, rsapss: 0x16 } as const;

/** Parts of evidence as a TPM writes them: TPMT_SIGNATURE and TPM2B_PUBLIC. */
export interface TpmWritten {
  readonly signature: Uint8Array;
  readonly publicArea: Uint8Array;
}

/** Evidence with the request under which it is affirmed when nothing is changed. */
export async function newTpmEvidence(
  changes: TpmChanges = {},
): Promise<{ evidence: TpmEvidence; request: TpmRequest; akName: string; written: TpmWritten }> {
  const kind = changes.kind ?? "ecc";
  const keys = newKeys(kind === "ecc" ? "p256" : "rsa2048");
  const key = publicArea(kind, keys.publicKey, changes.attributes ?? AK_ATTRIBUTES);
  const area = parsePublicArea(key);
  const banks = changes.banks ?? [SHA256_BANK];
  const values = pcrValues(banks);
  const hash = changes.hash ?? "sha256";
  const all = banks.flatMap(({ name, indices }) =>
    indices.map((index) => values.get(name)?.get(index) ?? new Uint8Array()),
  );
  const digest =
    changes.digest ??
    new Uint8Array(
      createHash(hash)
        .update(concat(...all))
        .digest(),
    );
  const quote = encodeQuote(changes, banks, digest);
  const signature = signQuote(kind, quote, changes.signer ?? keys.privateKey, hash, changes.salt);
  for (const bank of values.values()) changes.values?.(bank);
  const akName = toHex(await nameOf(area, webCrypto));
  const pcrs: PcrValues = values;
  return {
    akName,
    written: { signature, publicArea: sized(key) },
    evidence: {
      quote: changes.afterSigning?.(quote) ?? quote,
      signature: parseTpmSignature(signature),
      pcrs,
      ...(changes.bare ? { key: area.key } : { area }),
    },
    request: {
      at: new Date("2026-06-01T00:00:00Z"),
      crypto: webCrypto,
      endorsements: changes.bare ? { ...NO_ENDORSEMENTS, keys: [area.key] } : NO_ENDORSEMENTS,
      nonce: TPM_NONCE,
      tpm: changes.bare ? {} : { akNames: [akName] },
    },
  };
}

/** TPMT_PUBLIC of a key. */
export function publicArea(kind: TpmKeyKind, key: KeyObject, attributes: number): Uint8Array {
  const jwk = key.export({ format: "jwk" });
  const part = (value = "") => new Uint8Array(Buffer.from(value, "base64url"));
  const head = concat(
    big(2, kind === "ecc" ? 0x23 : 0x01),
    big(2, 0x0b),
    big(4, attributes),
    big(2, 0),
    big(2, 0x10),
    big(2, SCHEMES[kind]),
    big(2, 0x0b),
  );
  if (kind === "ecc") {
    return concat(head, big(2, 3), big(2, 0x10), sized(part(jwk.x)), sized(part(jwk.y)));
  }
  return concat(head, big(2, 2048), big(4, 0), sized(part(jwk.n)));
}

/** TPMS_ATTEST of a quote. */
function encodeQuote(
  changes: TpmChanges,
  banks: readonly TpmBankFields[],
  digest: Uint8Array,
): Uint8Array {
  return concat(
    big(4, changes.magic ?? 0xff544347),
    big(2, changes.type ?? 0x8018),
    sized(new Uint8Array(34)),
    sized(changes.nonce ?? TPM_NONCE),
    big(8, 1000),
    big(4, 2),
    big(4, 0),
    big(1, changes.clockSafe ?? 1),
    big(8, 7),
    big(4, banks.length),
    ...banks.map(({ algorithm, indices }) => concat(big(2, algorithm), big(1, 3), bitmap(indices))),
    sized(digest),
  );
}

function signQuote(
  kind: TpmKeyKind,
  quote: Uint8Array,
  key: KeyObject,
  hash: "sha1" | "sha256",
  saltLength = 32,
): Uint8Array {
  const head = concat(big(2, SCHEMES[kind]), big(2, HASH_NUMBER[hash]));
  if (kind === "ecc") {
    const raw = new Uint8Array(sign(hash, quote, { key, dsaEncoding: "ieee-p1363" }));
    // A TPM drops leading zeros of the halves.
    return concat(head, sized(trimmed(raw.subarray(0, 32))), sized(trimmed(raw.subarray(32))));
  }
  const padding = kind === "rsapss" ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  const options = { key, padding, ...(kind === "rsapss" ? { saltLength } : {}) };
  return concat(head, sized(new Uint8Array(sign(hash, quote, options))));
}

function pcrValues(
  banks: readonly TpmBankFields[],
): Map<"sha1" | "sha256" | "sha384", Map<number, Uint8Array>> {
  const lengths = { sha1: 20, sha256: 32, sha384: 48 };
  return new Map(
    banks.map(({ name, indices }) => [
      name,
      new Map(indices.map((index) => [index, new Uint8Array(lengths[name]).fill(index)])),
    ]),
  );
}

function bitmap(indices: readonly number[]): Uint8Array {
  const bits = new Uint8Array(3);
  for (const index of indices) bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
  return bits;
}

function trimmed(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0);
  return start < 0 ? bytes : bytes.subarray(start);
}

function sized(bytes: Uint8Array): Uint8Array {
  return concat(big(2, bytes.length), bytes);
}

function big(length: number, value: number): Uint8Array {
  return Uint8Array.from(
    { length },
    (_, index) => Math.floor(value / 256 ** (length - 1 - index)) % 256,
  );
}
