// Certificates of SEV platforms in AMD's own binary formats (SEV API, appendix C): of the authorities ARK and ASK, and of
// the platform's keys CEK, OCA, PEK and PDH. Little-endian.
import { ByteCursor, exactly } from "../binary/cursor.ts";
import { keyOfModulus, keyOfPoint, type TrustedKey } from "../endorsements/trusted-key.ts";
import { malformed } from "../errors.ts";

/** What a key is for. */
export type SevUsage = "ark" | "ask" | "oca" | "pek" | "pdh" | "cek";

/** A signature of a platform certificate. */
export interface SevSignature {
  readonly usage: SevUsage;
  readonly algorithm: number;
  /** 512 bytes; what they hold depends on the algorithm. */
  readonly value: Uint8Array;
}

/** Certificate of an authority: RSA, signed by another or itself. */
export interface SevAuthority {
  readonly usage: "ark" | "ask";
  readonly keyId: string;
  readonly certifyingId: string;
  readonly key: TrustedKey;
  readonly bits: number;
  readonly signedBytes: Uint8Array;
  /** Big-endian. */
  readonly signature: Uint8Array;
}

/** Certificate of a platform's key. */
export interface SevCertificate {
  readonly usage: Exclude<SevUsage, "ark" | "ask">;
  readonly apiMajor: number;
  readonly apiMinor: number;
  readonly algorithm: number;
  readonly key: TrustedKey;
  readonly signedBytes: Uint8Array;
  readonly signatures: readonly SevSignature[];
}

/** Numbers of algorithms. */
export const SEV_ALGORITHM = {
  rsaSha256: 1,
  ecdsaSha256: 2,
  ecdhSha256: 3,
  rsaSha384: 0x101,
  ecdsaSha384: 0x102,
  ecdhSha384: 0x103,
} as const;

const USAGES: Readonly<Record<number, SevUsage>> = {
  0: "ark",
  19: "ask",
  4097: "oca",
  4098: "pek",
  4099: "pdh",
  4100: "cek",
};
const NO_KEY = 0x1000;
const LENGTH = 2084;
const SIGNED = 1044;
const PUBLIC_KEY = 1028;
const SIGNATURE = 512;
const CURVES: Readonly<Record<number, "P-256" | "P-384">> = { 1: "P-256", 2: "P-384" };
const COORDINATE = 72;
const EC_ALGORITHMS: ReadonlySet<number> = new Set([2, 3, 0x102, 0x103]);

/**
 * Reads the certificate of an authority.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function parseSevAuthority(input: Uint8Array): SevAuthority {
  const cursor = new ByteCursor(input, "little", "SEV authority");
  const version = cursor.u32("version");
  if (version !== 1) throw malformed(`SEV authority: version ${version}, 1 expected`);
  const keyId = cursor.bytes(16, "key id").toHex();
  const certifyingId = cursor.bytes(16, "certifying id").toHex();
  const usage = usageOf(cursor.u32("usage"));
  if (usage !== "ark" && usage !== "ask") throw malformed(`SEV authority: usage ${usage}`);
  cursor.bytes(16, "reserved");
  const exponentBits = cursor.u32("exponent size");
  const bits = cursor.u32("modulus size");
  if ((bits !== 2048 && bits !== 4096) || exponentBits !== bits) {
    throw malformed(`SEV authority: key of ${bits} bits, exponent of ${exponentBits}`);
  }
  const exponent = cursor.bytes(bits / 8, "exponent").toReversed();
  const modulus = cursor.bytes(bits / 8, "modulus").toReversed();
  const signedBytes = input.subarray(0, cursor.at);
  const signature = cursor.bytes(bits / 8, "signature").toReversed();
  cursor.end();
  if ((modulus[0] ?? 0) < 0x80) throw malformed(`SEV authority: modulus is not of ${bits} bits`);
  return {
    usage,
    keyId,
    certifyingId,
    key: keyOfModulus(modulus, exponent),
    bits,
    signedBytes,
    signature,
  };
}

/**
 * Reads the certificate of a platform's key.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function parseSevCertificate(input: Uint8Array): SevCertificate {
  const cursor = new ByteCursor(
    exactly(input, LENGTH, "SEV certificate"),
    "little",
    "SEV certificate",
  );
  const version = cursor.u32("version");
  if (version !== 1) throw malformed(`SEV certificate: version ${version}, 1 expected`);
  const [apiMajor, apiMinor] = [cursor.u8("API major"), cursor.u8("API minor")];
  cursor.bytes(2, "reserved");
  const usage = usageOf(cursor.u32("usage"));
  if (usage === "ark" || usage === "ask") throw malformed(`SEV certificate: usage ${usage}`);
  const algorithm = cursor.u32("algorithm");
  const key = parseKey(cursor.bytes(PUBLIC_KEY, "public key"), algorithm);
  const signatures = [readSignature(cursor), readSignature(cursor)].filter(
    (each) => each !== undefined,
  );
  cursor.end();
  return {
    usage,
    apiMajor,
    apiMinor,
    algorithm,
    key,
    signedBytes: input.subarray(0, SIGNED),
    signatures,
  };
}

function usageOf(number: number): SevUsage {
  const usage = USAGES[number];
  if (usage === undefined) throw malformed(`SEV certificate: usage ${number}`);
  return usage;
}

function parseKey(bytes: Uint8Array, algorithm: number): TrustedKey {
  const cursor = new ByteCursor(bytes, "little", "SEV public key");
  if (!EC_ALGORITHMS.has(algorithm)) throw malformed(`SEV certificate: algorithm ${algorithm}`);
  const curve = CURVES[cursor.u32("curve")];
  if (curve === undefined) throw malformed("SEV certificate: curve P-256 or P-384 expected");
  const [x, y] = [cursor.bytes(COORDINATE, "x"), cursor.bytes(COORDINATE, "y")];
  try {
    return keyOfPoint(curve, x.toReversed(), y.toReversed());
  } catch (cause) {
    throw malformed("SEV certificate: not a point of its curve", cause);
  }
}

/** One of the two places for signatures; it may be left empty. */
function readSignature(cursor: ByteCursor): SevSignature | undefined {
  const usage = cursor.u32("signer");
  const algorithm = cursor.u32("signature algorithm");
  const value = cursor.bytes(SIGNATURE, "signature");
  return usage === NO_KEY ? undefined : { usage: usageOf(usage), algorithm, value };
}
