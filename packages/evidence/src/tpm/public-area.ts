// Public areas of TPM 2.0 keys (TPM 2.0 library part 2, TPMT_PUBLIC): what a key is, what it may do, and its name.
import { type CryptoPort, concat, type DigestName } from "@holdfast/core";
import { ByteCursor } from "../binary/cursor.ts";
import { keyOfModulus, keyOfPoint, type TrustedKey } from "../endorsements/trusted-key.ts";
import { malformed } from "../errors.ts";
import { TPM_ALGORITHM, tpmHash } from "./algorithms.ts";
import { sized } from "./attest.ts";

/** A public area, read. */
export interface PublicArea {
  /** TPMT_PUBLIC, as it stands. */
  readonly bytes: Uint8Array;
  readonly nameAlgorithm: number;
  readonly nameHash: DigestName;
  readonly attributes: number;
  readonly key: TrustedKey;
}

/** Bits of the attributes of an object. */
export const TPM_ATTRIBUTE = {
  fixedTpm: 1 << 1,
  fixedParent: 1 << 4,
  sensitiveDataOrigin: 1 << 5,
  restricted: 1 << 16,
  decrypt: 1 << 17,
  sign: 1 << 18,
} as const;

const CURVES: Readonly<Record<number, "P-256" | "P-384" | "P-521">> = {
  3: "P-256",
  4: "P-384",
  5: "P-521",
};
const DEFAULT_EXPONENT = Uint8Array.of(1, 0, 1);
const MAXIMUM = 1024;

/**
 * Reads a public area, bare or with its length before it.
 * @throws EvidenceError EVIDENCE_MALFORMED, CertificateError for keys outside those supported
 */
export function parsePublicArea(input: Uint8Array): PublicArea {
  if (input.length > MAXIMUM) throw malformed(`public area of ${input.length} bytes`);
  const prefixed =
    input.length > 2 && ((input[0] ?? 0) << 8) + (input[1] ?? 0) === input.length - 2;
  const bytes = prefixed ? input.subarray(2) : input;
  const cursor = new ByteCursor(bytes, "big", "public area");
  const type = cursor.u16("type");
  const nameAlgorithm = cursor.u16("name algorithm");
  const nameHash = tpmHash(nameAlgorithm, "public area");
  const attributes = cursor.u32("attributes");
  sized(cursor, "policy");
  optionalScheme(cursor, "symmetric algorithm", 4);
  const key = parseKey(cursor, type);
  cursor.end();
  return { bytes, nameAlgorithm, nameHash, attributes, key };
}

/** The name of a key: the number of its hash, then the hash of its public area. */
export async function nameOf(area: PublicArea, crypto: CryptoPort): Promise<Uint8Array> {
  const hash = await crypto.digest(area.nameHash, area.bytes);
  return concat(Uint8Array.of(area.nameAlgorithm >> 8, area.nameAlgorithm & 255), hash);
}

function parseKey(cursor: ByteCursor, type: number): TrustedKey {
  if (type === TPM_ALGORITHM.rsa) {
    optionalScheme(cursor, "scheme", 2);
    const bits = cursor.u16("key bits");
    const exponent = cursor.bytes(4, "exponent");
    const modulus = sized(cursor, "modulus");
    if (modulus.length * 8 !== bits) throw malformed(`public area: modulus is not of ${bits} bits`);
    const none = exponent.every((byte) => byte === 0);
    return keyOfModulus(modulus, none ? DEFAULT_EXPONENT : exponent);
  }
  if (type !== TPM_ALGORITHM.ecc) throw malformed(`public area: key type ${type.toString(16)}h`);
  optionalScheme(cursor, "scheme", 2);
  const number = cursor.u16("curve");
  const curve = CURVES[number];
  if (curve === undefined) throw malformed(`public area: curve ${number}`);
  optionalScheme(cursor, "key derivation", 2);
  return keyOfPoint(curve, sized(cursor, "x"), sized(cursor, "y"));
}

/** An algorithm with details, unless it is none. */
function optionalScheme(cursor: ByteCursor, what: string, details: number): void {
  if (cursor.u16(what) !== TPM_ALGORITHM.none) cursor.bytes(details, `details of the ${what}`);
}
