// Public keys that a caller trusts for what they are: enrolled, not certified. They come as SubjectPublicKeyInfo or as JSON
// web keys (RFC 7517, RFC 7518 section 6).
import {
  concat,
  derWrite,
  EncodingError,
  fromBase64Url,
  type PublicKeyKind,
  parsePublicKey,
  readDer,
} from "@holdfast/core";
import { unusable } from "../errors.ts";

/** A key, with the name it was enrolled under when there is one. */
export interface TrustedKey {
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  readonly key: PublicKeyKind;
  /** What the key belongs to: an instance id in hexadecimal, a key id. */
  readonly name?: string;
}

/** Curves by name, with the length of a coordinate. */
const CURVES: Readonly<Record<string, readonly [oid: string, length: number]>> = {
  "P-256": ["1.2.840.10045.3.1.7", 32],
  "P-384": ["1.3.132.0.34", 48],
  "P-521": ["1.3.132.0.35", 66],
};
const EC_KEY = "1.2.840.10045.2.1";
const RSA_KEY = "1.2.840.113549.1.1.1";

/**
 * A key of its DER SubjectPublicKeyInfo.
 * @throws CertificateError, EncodingError
 */
export function keyOfSpki(spki: Uint8Array): TrustedKey {
  return { spki, key: parsePublicKey(readDer(spki)) };
}

/**
 * A key of the coordinates of its point.
 * @throws EncodingError when a coordinate is longer than the curve's
 */
export function keyOfPoint(
  curve: "P-256" | "P-384" | "P-521",
  x: Uint8Array,
  y: Uint8Array,
): TrustedKey {
  const [oid, length] = CURVES[curve] ?? ["", 0];
  const point = concat(Uint8Array.of(4), padded(x, length), padded(y, length));
  const { sequence, bitString, oid: encodeOid } = derWrite;
  return keyOfSpki(sequence(sequence(encodeOid(EC_KEY), encodeOid(oid)), bitString(point)));
}

/** A key of an RSA modulus and exponent, big-endian. */
export function keyOfModulus(modulus: Uint8Array, exponent: Uint8Array): TrustedKey {
  const { sequence, bitString, oid, unsignedInteger, der } = derWrite;
  const key = sequence(unsignedInteger(modulus), unsignedInteger(exponent));
  return keyOfSpki(sequence(sequence(oid(RSA_KEY), der(0x05)), bitString(key)));
}

/**
 * A key of a JSON web key; members that do not name the key are passed over.
 * @throws EvidenceError ENDORSEMENT_UNUSABLE, EncodingError
 */
export function keyOfJwk(jwk: Readonly<Record<string, unknown>>): TrustedKey {
  const name = typeof jwk["kid"] === "string" ? { name: jwk["kid"] } : {};
  if (jwk["kty"] === "RSA") {
    return { ...keyOfModulus(member(jwk, "n"), member(jwk, "e")), ...name };
  }
  const curve = jwk["crv"];
  if (jwk["kty"] !== "EC" || (curve !== "P-256" && curve !== "P-384" && curve !== "P-521")) {
    throw unusable("JSON web key: EC or RSA expected");
  }
  return { ...keyOfPoint(curve, member(jwk, "x"), member(jwk, "y")), ...name };
}

function member(jwk: Readonly<Record<string, unknown>>, name: string): Uint8Array {
  const value = jwk[name];
  if (typeof value !== "string" || value.length > 2048) {
    throw unusable(`JSON web key: ${name} is missing or too long`);
  }
  return fromBase64Url(value);
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? new Uint8Array() : bytes.subarray(start);
  if (digits.length > length) {
    throw new EncodingError("ENCODING_DER", `coordinate of ${digits.length} bytes`);
  }
  return concat(new Uint8Array(length - digits.length), digits);
}
