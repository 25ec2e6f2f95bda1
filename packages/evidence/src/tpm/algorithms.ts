// Algorithm numbers of TPM 2.0 (TCG algorithm registry) that evidence uses.
import type { DigestName } from "@holdfast/core";
import { malformed } from "../errors.ts";

/** Numbers by name. */
export const TPM_ALGORITHM = {
  rsa: 0x0001,
  sha1: 0x0004,
  sha256: 0x000b,
  sha384: 0x000c,
  sha512: 0x000d,
  none: 0x0010,
  rsassa: 0x0014,
  rsapss: 0x0016,
  ecdsa: 0x0018,
  ecc: 0x0023,
} as const;

/** A bank of PCRs, named as tools name it. */
export type TpmBank = "sha1" | "sha256" | "sha384" | "sha512";

const HASHES: ReadonlyMap<number, { readonly name: DigestName; readonly bank: TpmBank }> = new Map([
  [TPM_ALGORITHM.sha1, { name: "SHA-1", bank: "sha1" }],
  [TPM_ALGORITHM.sha256, { name: "SHA-256", bank: "sha256" }],
  [TPM_ALGORITHM.sha384, { name: "SHA-384", bank: "sha384" }],
  [TPM_ALGORITHM.sha512, { name: "SHA-512", bank: "sha512" }],
]);

/** Length of a digest in bytes. */
export const DIGEST_LENGTH: Readonly<Record<DigestName, number>> = {
  "SHA-1": 20,
  "SHA-256": 32,
  "SHA-384": 48,
  "SHA-512": 64,
};

/** The digest of a hash algorithm number. */
export function tpmHash(number: number, where: string): DigestName {
  const hash = HASHES.get(number);
  if (hash === undefined) throw malformed(`${where}: hash algorithm ${number.toString(16)}h`);
  return hash.name;
}

/** The bank of a hash algorithm number. */
export function tpmBank(number: number, where: string): TpmBank {
  const hash = HASHES.get(number);
  if (hash === undefined) throw malformed(`${where}: bank ${number.toString(16)}h`);
  return hash.bank;
}

/** Length of a value in a bank. */
export function bankLength(bank: TpmBank): number {
  return { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }[bank];
}
