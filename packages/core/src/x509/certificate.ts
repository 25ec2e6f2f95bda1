// X.509 certificates (RFC 5280 section 4.1). Stricter: version 3 or 1 only, DER to the byte, no unique identifiers.
import { sameBytes, toHex } from "../bytes.ts";
import type { CryptoPort } from "../crypto-port.ts";
import { contextTag, DerCursor, fault, readDer, TAG } from "../der/read.ts";
import { derBitStringBytes, derIntegerBytes, derTime, derUnsigned } from "../der/values.ts";
import { CertificateError, EncodingError } from "../errors.ts";
import {
  ecdsaToP1363,
  type PublicKeyKind,
  parsePublicKey,
  parseSignatureAlgorithm,
  type SignatureAlgorithm,
  schemeUnder,
} from "./algorithm.ts";
import {
  CERTIFICATE_EXTENSIONS_TAG,
  type Extensions,
  type KeyUsage,
  parseBasicConstraints,
  parseExtendedKeyUsage,
  parseExtensions,
  parseKeyUsage,
} from "./extensions.ts";
import { type Name, parseName } from "./name.ts";

/** The longest certificate read, in bytes. */
export const MAXIMUM_CERTIFICATE = 64 * 1024;

/** A certificate, read once. */
export interface Certificate {
  readonly der: Uint8Array;
  /** The signed part. */
  readonly tbs: Uint8Array;
  /** Serial number, lower-case hexadecimal of the INTEGER's content. */
  readonly serial: string;
  readonly issuer: Name;
  readonly subject: Name;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  readonly key: PublicKeyKind;
  readonly algorithm: SignatureAlgorithm;
  /** Signature value as it stands: for ECDSA a DER sequence. */
  readonly signature: Uint8Array;
  readonly extensions: Extensions;
  readonly isCa: boolean;
  readonly pathLength?: number;
  readonly keyUsage?: ReadonlySet<KeyUsage>;
  readonly extendedKeyUsage?: ReadonlySet<string>;
}

/** Anything signed the X.509 way: certificates, requests, revocation lists. */
export interface Signed {
  readonly tbs: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
}

/** Certificates read before, by their bytes: platforms send the same chain with every piece of evidence. */
const READ = new Map<string, Certificate>();
/** As good a name for bytes as any, and fast to make: no two bytes share a character of it. */
const NAMES = new TextDecoder("latin1");
const MOST_READ = 256;
const LONGEST_READ = 4096;

/**
 * Reads a certificate. What it gives is shared and must not be changed; it does not keep the input.
 * @throws CertificateError CERTIFICATE_MALFORMED, CERTIFICATE_UNSUPPORTED
 */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > LONGEST_READ) return readCertificate(der);
  const bytes = NAMES.decode(der);
  const certificate = READ.get(bytes) ?? readCertificate(der.slice());
  // The one used longest ago makes room.
  READ.delete(bytes);
  READ.set(bytes, certificate);
  const [oldest] = READ.keys();
  if (READ.size > MOST_READ && oldest !== undefined) READ.delete(oldest);
  return certificate;
}

function readCertificate(der: Uint8Array): Certificate {
  return readingCertificate("certificate", () => {
    const { tbs, algorithm, signature } = parseSigned(der, "certificate");
    const cursor = new DerCursor(readDer(tbs), "tbsCertificate");
    const version = parseVersion(cursor);
    const serial = derIntegerBytes(cursor.next("serial number"), "serialNumber");
    if (serial.length > 21) throw fault("serialNumber: over 20 bytes");
    const inner = cursor.next("signature", TAG.sequence).bytes;
    const issuer = parseName(cursor.next("issuer"), "issuer");
    const validity = new DerCursor(cursor.next("validity"), "validity");
    const notBefore = derTime(validity.next("notBefore"), "notBefore");
    const notAfter = derTime(validity.next("notAfter"), "notAfter");
    validity.end();
    const subject = parseName(cursor.next("subject"), "subject");
    const spkiNode = cursor.next("subjectPublicKeyInfo");
    const field = cursor.optional(CERTIFICATE_EXTENSIONS_TAG);
    cursor.end();
    if (field !== undefined && version !== 3)
      throw fault("extensions in a certificate before version 3");
    if (!sameBytes(inner, outerAlgorithm(der))) throw fault("the two signature algorithms differ");
    const extensions = field === undefined ? new Map() : parseExtensions(readDer(field.content));
    const keyUsage = parseKeyUsage(extensions);
    const extendedKeyUsage = parseExtendedKeyUsage(extensions);
    return {
      der,
      tbs,
      serial: toHex(serial),
      issuer,
      subject,
      notBefore,
      notAfter,
      spki: spkiNode.bytes,
      key: parsePublicKey(spkiNode),
      algorithm,
      signature,
      extensions,
      ...parseBasicConstraints(extensions),
      ...(keyUsage === undefined ? {} : { keyUsage }),
      ...(extendedKeyUsage === undefined ? {} : { extendedKeyUsage }),
    };
  });
}

/** Whether a signed object was signed by the key; an algorithm that does not fit the key is `false`. */
export async function isSignedBy(
  signed: Signed,
  spki: Uint8Array,
  key: PublicKeyKind,
  crypto: CryptoPort,
): Promise<boolean> {
  const scheme = schemeUnder(signed.algorithm, key);
  if (scheme === undefined) return false;
  const signature =
    scheme.kind === "ecdsa" ? ecdsaToP1363(signed.signature, scheme.curve) : signed.signature;
  return signature !== undefined && (await crypto.verify(scheme, spki, signature, signed.tbs));
}

/** Splits a signed object into its three parts. */
export function parseSigned(
  der: Uint8Array,
  where: string,
  maximum: number = MAXIMUM_CERTIFICATE,
): Signed {
  const cursor = new DerCursor(readDer(der, maximum), where);
  const tbs = cursor.next("signed part", TAG.sequence).bytes;
  const algorithm = parseSignatureAlgorithm(cursor.next("signatureAlgorithm"));
  const signature = derBitStringBytes(cursor.next("signature"), "signature");
  cursor.end();
  return { tbs, algorithm, signature };
}

/** Runs a reader, turning encoding faults into certificate faults. */
export function readingCertificate<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof EncodingError) && !(cause instanceof TypeError)) throw cause;
    throw new CertificateError("CERTIFICATE_MALFORMED", `${what} can't be read: ${cause.message}`, {
      cause,
    });
  }
}

/** The algorithm beside the signed part, as it stands. */
export function outerAlgorithm(der: Uint8Array, maximum: number = MAXIMUM_CERTIFICATE): Uint8Array {
  const cursor = new DerCursor(readDer(der, maximum), "signed object");
  cursor.next("signed part");
  return cursor.next("signatureAlgorithm").bytes;
}

function parseVersion(cursor: DerCursor): 1 | 3 {
  const field = cursor.optional(contextTag(0, true));
  if (field === undefined) return 1;
  const version = derUnsigned(readDer(field.content), "version");
  if (version !== 2) throw fault(`version ${version + 1}, expected 3`);
  return 3;
}
