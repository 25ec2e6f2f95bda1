// TPM evidence in one form: a quote, its signature, PCR values, and perhaps the public area of the key. Tools and services
// carry these in JSON of several shapes.
import { fromBase64, fromHex, HoldfastError } from "@holdfast/core";
import { keyOfSpki, type TrustedKey } from "../endorsements/trusted-key.ts";
import { malformed } from "../errors.ts";
import { asObject, type JsonObject } from "../json/members.ts";
import { bankLength, type TpmBank } from "./algorithms.ts";
import { type PublicArea, parsePublicArea } from "./public-area.ts";
import { parseTpmSignature, type TpmSignature } from "./signature.ts";

/** Values of PCRs by bank and index. */
export type PcrValues = ReadonlyMap<TpmBank, ReadonlyMap<number, Uint8Array>>;

/** Evidence, read but not verified. */
export interface TpmEvidence {
  /** TPMS_ATTEST. */
  readonly quote: Uint8Array;
  readonly signature: TpmSignature;
  readonly pcrs: PcrValues;
  /** The key that is said to have signed: its public area, or only the key. */
  readonly area?: PublicArea;
  readonly key?: TrustedKey;
}

const BANKS: readonly TpmBank[] = ["sha1", "sha256", "sha384", "sha512"];
const MAXIMUM_PCRS = 32;

/** Whether a JSON object is TPM evidence. */
export function isTpmJson(object: JsonObject): boolean {
  return object["ak_public"] !== undefined;
}

/**
 * Reads TPM evidence in JSON: quote and signature beside the key, or in a member of their own.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function parseTpmJson(object: JsonObject): TpmEvidence {
  const nested = object["tpm_quote"];
  const quote = nested === undefined ? object : asObject(nested, "tpm_quote");
  return {
    quote: base64Of(quote, "message"),
    signature: parseTpmSignature(base64Of(quote, "signature")),
    pcrs: Array.isArray(quote["pcrs"])
      ? listedPcrs(quote["pcrs"])
      : banksOf(asObject(quote["pcrs"], "pcrs")),
    ...keyOf(base64Of(object, "ak_public")),
  };
}

/** A list of values of the SHA-256 bank, from PCR 0. */
export function listedPcrs(values: readonly unknown[]): PcrValues {
  if (values.length > MAXIMUM_PCRS) throw malformed(`pcrs: ${values.length} values`);
  const bank = values.map((value, index): [number, Uint8Array] => [
    index,
    pcrValue(value, "sha256"),
  ]);
  return new Map([["sha256", new Map(bank)]]);
}

/** Values by bank, and by index within. */
export function banksOf(banks: JsonObject): PcrValues {
  const read = new Map<TpmBank, ReadonlyMap<number, Uint8Array>>();
  for (const [name, values] of Object.entries(banks)) {
    const bank = BANKS.find((each) => each === name.toLowerCase());
    if (bank === undefined) throw malformed(`pcrs: bank ${name}`);
    const entries = Object.entries(asObject(values, `pcrs.${name}`));
    if (entries.length > MAXIMUM_PCRS) throw malformed(`pcrs: ${entries.length} values`);
    read.set(
      bank,
      new Map(entries.map(([index, value]) => [indexOf(index), pcrValue(value, bank)])),
    );
  }
  return read;
}

function indexOf(text: string): number {
  if (!/^\d{1,2}$/.test(text)) throw malformed(`pcrs: index ${text}`);
  return Number(text);
}

function pcrValue(value: unknown, bank: TpmBank): Uint8Array {
  const bytes = bytesOf(value);
  if (bytes.length !== bankLength(bank)) throw malformed(`pcrs: a value of ${bytes.length} bytes`);
  return bytes;
}

/** Bytes as hexadecimal text or as a list of numbers. */
export function bytesOf(value: unknown): Uint8Array {
  if (typeof value === "string") return decoding(() => fromHex(value));
  if (!Array.isArray(value) || value.length > 16_384) throw malformed("bytes expected");
  const isByte = (each: unknown): each is number =>
    typeof each === "number" && Number.isInteger(each) && each >= 0 && each <= 255;
  if (!value.every(isByte)) throw malformed("bytes expected");
  return Uint8Array.from(value);
}

function base64Of(object: JsonObject, name: string): Uint8Array {
  const value = object[name];
  if (typeof value !== "string" || value.length > 16_384) throw malformed(`${name}: text expected`);
  return decoding(() => fromBase64(value));
}

/** A key as SubjectPublicKeyInfo, which starts with a SEQUENCE, or as the TPM's public area. */
function keyOf(bytes: Uint8Array): Pick<TpmEvidence, "area" | "key"> {
  return decoding(() =>
    bytes[0] === 0x30 ? { key: keyOfSpki(bytes) } : { area: parsePublicArea(bytes) },
  );
}

function decoding<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof HoldfastError)) throw cause;
    throw malformed(cause.message, cause);
  }
}
