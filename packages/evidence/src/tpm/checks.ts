// Checks of TPM quotes: who signed, over which PCRs with which values, and for which nonce. The values of PCRs that the
// quote does not select never become claims.
import {
  type Check,
  type CryptoPort,
  check,
  concat,
  equalBytes,
  notPerformed,
  toHex,
} from "@holdfast/core";
import type { TrustedKey } from "../endorsements/trusted-key.ts";
import { bankLength, type TpmBank } from "./algorithms.ts";
import type { TpmQuote } from "./attest.ts";
import type { PcrValues } from "./evidence.ts";
import { type PublicArea, TPM_ATTRIBUTE } from "./public-area.ts";
import { schemesOf, type TpmSignature } from "./signature.ts";

/** What an attestation key must be: made in this TPM, unable to leave it, unable to sign what the TPM did not make. */
const NEEDED =
  TPM_ATTRIBUTE.fixedTpm |
  TPM_ATTRIBUTE.fixedParent |
  TPM_ATTRIBUTE.sensitiveDataOrigin |
  TPM_ATTRIBUTE.restricted |
  TPM_ATTRIBUTE.sign;
/** Banks whose hash can be trusted. */
const ALLOWED: ReadonlySet<TpmBank> = new Set(["sha256", "sha384", "sha512"]);

/** The key is a restricted signing key of the TPM. */
export function attributesCheck(area: PublicArea | undefined, enrolled: boolean): Check {
  const name = "tpm.ak-attributes";
  if (area === undefined) {
    return enrolled
      ? check(name, true, "the key was enrolled; what it is was judged then")
      : notPerformed(name, "the evidence carries no public area of its key");
  }
  const fits =
    (area.attributes & NEEDED) === NEEDED && (area.attributes & TPM_ATTRIBUTE.decrypt) === 0;
  return check(
    name,
    fits,
    fits
      ? "a restricted signing key that can't leave its TPM"
      : `attributes ${area.attributes.toString(16)}h: a key that could sign anything, or leave its TPM`,
  );
}

/** The key signed the quote. */
export async function tpmSignatureCheck(
  quote: TpmQuote,
  signature: TpmSignature,
  key: TrustedKey | undefined,
  crypto: CryptoPort,
): Promise<Check> {
  const name = "tpm.signature";
  if (key === undefined) return notPerformed(name, "no attestation key is known");
  let signed = false;
  for (const { scheme, value } of schemesOf(signature, key.key)) {
    signed ||= await crypto.verify(scheme, key.spki, value, quote.bytes);
  }
  return check(
    name,
    signed,
    signed ? "the attestation key signed the quote" : "the quote's signature is wrong",
  );
}

/** The quote is over PCRs of a bank that can be trusted, at all. */
export function selectionCheck({ selections }: TpmQuote, required: readonly number[]): Check {
  const name = "tpm.selection";
  const usable = selections.filter(({ bank, indices }) => ALLOWED.has(bank) && indices.length > 0);
  if (usable.length === 0) {
    return check(name, false, "the quote is over no PCR of a SHA-256, SHA-384 or SHA-512 bank");
  }
  const missing = required.filter(
    (index) => !usable.some(({ indices }) => indices.includes(index)),
  );
  return check(
    name,
    missing.length === 0,
    missing.length === 0
      ? usable.map(({ bank, indices }) => `${bank}: ${indices.join(", ")}`).join("; ")
      : `PCR ${missing.join(", ")} not quoted`,
  );
}

/** The values supplied are those that were quoted: their digest, in the order of the selection, is the quote's. */
export async function pcrDigestCheck(
  quote: TpmQuote,
  values: PcrValues,
  signature: TpmSignature,
  crypto: CryptoPort,
): Promise<Check> {
  const name = "tpm.pcr-digest";
  const parts: Uint8Array[] = [];
  for (const { bank, indices } of quote.selections) {
    for (const index of indices) {
      const value = values.get(bank)?.get(index);
      if (value === undefined || value.length !== bankLength(bank)) {
        return check(name, false, `the value of PCR ${index} (${bank}) is missing`);
      }
      parts.push(value);
    }
  }
  const digest = await crypto.digest(signature.hash, concat(...parts));
  const equal = equalBytes(digest, quote.pcrDigest);
  return check(
    name,
    equal,
    equal
      ? `the values of ${parts.length} PCRs are those quoted`
      : `values hash to ${toHex(digest)}, the quote says ${toHex(quote.pcrDigest)}`,
  );
}

/** Values that the quote proves: selected, in a bank that can be trusted, and not as after a reset. */
export function provenPcrs(
  quote: TpmQuote,
  values: PcrValues,
): Record<string, Record<string, string>> {
  const proven: Record<string, Record<string, string>> = {};
  for (const { bank, indices } of quote.selections) {
    if (!ALLOWED.has(bank)) continue;
    const extended = indices.flatMap((index): [string, string][] => {
      const value = values.get(bank)?.get(index);
      return value === undefined || isReset(value) ? [] : [[String(index), toHex(value)]];
    });
    proven[bank] = Object.fromEntries(extended);
  }
  return proven;
}

/** Zeros, or ones for the PCRs of dynamic launches. */
function isReset(value: Uint8Array): boolean {
  return value.every((byte) => byte === 0) || value.every((byte) => byte === 255);
}
