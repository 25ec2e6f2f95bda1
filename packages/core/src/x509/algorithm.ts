// Public keys and signature algorithms of certificates (RFC 5280 4.1.1.2 and 4.1.2.7, RFC 5480, RFC 4055, RFC 8410).
import { concat, equalBytes } from "../bytes.ts";
import type { DigestName, SignatureScheme } from "../crypto-port.ts";
import { contextTag, DerCursor, type DerNode, fault, readDer, TAG } from "../der/read.ts";
import { derBitStringBytes, derIntegerBytes, derOid, derUnsigned } from "../der/values.ts";
import { CertificateError } from "../errors.ts";

/** What kind of key a SubjectPublicKeyInfo holds. */
export type PublicKeyKind =
  | { readonly kind: "ec"; readonly curve: "P-256" | "P-384" | "P-521" }
  | { readonly kind: "rsa"; readonly bits: number }
  | { readonly kind: "ed25519" };

/** A signature algorithm as a certificate names it; the curve is the issuer's affair. */
export type SignatureAlgorithm =
  | { readonly kind: "ecdsa"; readonly hash: DigestName }
  | { readonly kind: "rsa-pkcs1"; readonly hash: DigestName }
  | { readonly kind: "rsa-pss"; readonly hash: DigestName; readonly saltLength: number }
  | { readonly kind: "ed25519" };

const CURVES: Readonly<Record<string, "P-256" | "P-384" | "P-521">> = {
  "1.2.840.10045.3.1.7": "P-256",
  "1.3.132.0.34": "P-384",
  "1.3.132.0.35": "P-521",
};
const COORDINATE: Readonly<Record<string, number>> = { "P-256": 32, "P-384": 48, "P-521": 66 };
const HASHES: Readonly<Record<string, DigestName>> = {
  "2.16.840.1.101.3.4.2.1": "SHA-256",
  "2.16.840.1.101.3.4.2.2": "SHA-384",
  "2.16.840.1.101.3.4.2.3": "SHA-512",
};
const SIMPLE: Readonly<Record<string, SignatureAlgorithm>> = {
  "1.2.840.10045.4.3.2": { kind: "ecdsa", hash: "SHA-256" },
  "1.2.840.10045.4.3.3": { kind: "ecdsa", hash: "SHA-384" },
  "1.2.840.10045.4.3.4": { kind: "ecdsa", hash: "SHA-512" },
  "1.2.840.113549.1.1.11": { kind: "rsa-pkcs1", hash: "SHA-256" },
  "1.2.840.113549.1.1.12": { kind: "rsa-pkcs1", hash: "SHA-384" },
  "1.2.840.113549.1.1.13": { kind: "rsa-pkcs1", hash: "SHA-512" },
  "1.3.101.112": { kind: "ed25519" },
};
const PSS = "1.2.840.113549.1.1.10";
const MGF1 = "1.2.840.113549.1.1.8";

/**
 * Reads the kind of key of a SubjectPublicKeyInfo.
 * @throws CertificateError CERTIFICATE_UNSUPPORTED for other algorithms, curves and RSA keys outside 2048..8192 bits
 */
export function parsePublicKey(node: DerNode): PublicKeyKind {
  const where = "subjectPublicKeyInfo";
  const cursor = new DerCursor(node, where);
  const algorithm = new DerCursor(cursor.next("algorithm"), where);
  const type = derOid(algorithm.next("algorithm OID"), where);
  const key = derBitStringBytes(cursor.next("key"), where);
  cursor.end();
  if (type === "1.3.101.112" && key.length === 32) return { kind: "ed25519" };
  if (type === "1.2.840.113549.1.1.1") return { kind: "rsa", bits: rsaBits(key) };
  if (type !== "1.2.840.10045.2.1") throw unsupported(`key algorithm ${type}`);
  const named = derOid(algorithm.next("curve"), where);
  const curve = CURVES[named];
  if (curve === undefined) throw unsupported(`curve ${named}`);
  // The uncompressed form only: every platform we know sends it, and one form has one meaning.
  if (key[0] !== 4 || key.length !== 1 + 2 * (COORDINATE[curve] ?? 0)) {
    throw fault(`${where}: not an uncompressed ${curve} point`);
  }
  return { kind: "ec", curve };
}

/**
 * Reads an AlgorithmIdentifier of a signature.
 * @throws CertificateError CERTIFICATE_UNSUPPORTED for algorithms outside the list, SHA-1 among them
 */
export function parseSignatureAlgorithm(node: DerNode): SignatureAlgorithm {
  const cursor = new DerCursor(node, "signatureAlgorithm");
  const type = derOid(cursor.next("OID"), "signatureAlgorithm");
  if (type === PSS) return parsePss(cursor.next("parameters"));
  const simple = SIMPLE[type];
  if (simple === undefined) throw unsupported(`signature algorithm ${type}`);
  const parameters = cursor.optional(TAG.null);
  if (parameters !== undefined && simple.kind !== "rsa-pkcs1") {
    throw fault("signatureAlgorithm: parameters must be absent");
  }
  cursor.end();
  return simple;
}

/** The full scheme of an algorithm under an issuer's key, or nothing when the two don't go together. */
export function schemeUnder(
  algorithm: SignatureAlgorithm,
  key: PublicKeyKind,
): SignatureScheme | undefined {
  if (algorithm.kind === "ecdsa") {
    return key.kind === "ec" ? { ...algorithm, curve: key.curve } : undefined;
  }
  if (algorithm.kind === "ed25519") return key.kind === "ed25519" ? algorithm : undefined;
  return key.kind === "rsa" ? algorithm : undefined;
}

/**
 * An ECDSA signature from its DER form to r||s of the curve's length (IEEE P1363).
 * @returns undefined when it is not such a signature
 */
export function ecdsaToP1363(
  signature: Uint8Array,
  curve: "P-256" | "P-384" | "P-521",
): Uint8Array | undefined {
  const length = COORDINATE[curve] ?? 0;
  try {
    const cursor = new DerCursor(readDer(signature), "ECDSA signature");
    const halves = [cursor.next("r"), cursor.next("s")].map((node) => {
      const bytes = derIntegerBytes(node, "ECDSA signature");
      const trimmed = bytes[0] === 0 ? bytes.subarray(1) : bytes;
      if ((bytes[0] ?? 0) >= 0x80 || trimmed.length > length) throw fault("ECDSA signature: range");
      return concat(new Uint8Array(length - trimmed.length), trimmed);
    });
    cursor.end();
    return concat(...halves);
  } catch {
    // A signature that can't be read does not hold; the caller says so.
    return undefined;
  }
}

function parsePss(node: DerNode): SignatureAlgorithm {
  const where = "RSASSA-PSS parameters";
  const cursor = new DerCursor(node, where);
  const hashField = cursor.optional(contextTag(0, true));
  const maskField = cursor.optional(contextTag(1, true));
  const saltField = cursor.optional(contextTag(2, true));
  if (hashField === undefined || maskField === undefined || saltField === undefined) {
    throw unsupported("RSASSA-PSS with SHA-1 defaults");
  }
  const hashNode = readDer(hashField.content);
  const hashOid = derOid(new DerCursor(hashNode, where).next("hash"), where);
  const mask = new DerCursor(readDer(maskField.content), where);
  const maskOid = derOid(mask.next("mask function"), where);
  const maskHash = mask.next("mask hash");
  const hash = HASHES[hashOid];
  if (hash === undefined) throw unsupported(`RSASSA-PSS hash ${hashOid}`);
  const maskHashOid = derOid(new DerCursor(maskHash, where).next("hash"), where);
  if (maskOid !== MGF1 || maskHashOid !== hashOid) throw unsupported("RSASSA-PSS mask function");
  const trailer = cursor.optional(contextTag(3, true));
  if (trailer !== undefined && !equalBytes(trailer.content, Uint8Array.of(2, 1, 1))) {
    throw unsupported("RSASSA-PSS trailer");
  }
  cursor.end();
  return { kind: "rsa-pss", hash, saltLength: derUnsigned(readDer(saltField.content), where) };
}

function rsaBits(key: Uint8Array): number {
  const cursor = new DerCursor(readDer(key), "RSAPublicKey");
  const modulus = derIntegerBytes(cursor.next("modulus"), "RSAPublicKey");
  derIntegerBytes(cursor.next("exponent"), "RSAPublicKey");
  cursor.end();
  const trimmed = modulus[0] === 0 ? modulus.subarray(1) : modulus;
  const bits = trimmed.length * 8 - Math.clz32(trimmed[0] ?? 0) + 24;
  if (bits < 2048 || bits > 8192) throw unsupported(`RSA key of ${bits} bits`);
  return bits;
}

function unsupported(what: string): CertificateError {
  return new CertificateError("CERTIFICATE_UNSUPPORTED", `${what} is not supported`);
}
