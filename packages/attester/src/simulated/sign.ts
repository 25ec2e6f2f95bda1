// Signing as the simulated platform does it: ECDSA over P-384 with SHA-384.
import { type KeyObject, randomBytes, sign } from "node:crypto";
import type { IssuingAlgorithm } from "@holdfast/core";

/** Signs certificates: the signature as a DER sequence. */
export function certificateSigner(
  key: KeyObject,
  algorithm: IssuingAlgorithm = "ecdsa-sha384",
): (tbs: Uint8Array) => Uint8Array {
  const hash = algorithm === "ecdsa-sha384" ? "sha384" : "sha256";
  return (tbs) => sign(hash, tbs, key);
}

/** Signs COSE messages: the signature as r||s. */
export function messageSigner(key: KeyObject): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => sign("sha384", bytes, { key, dsaEncoding: "ieee-p1363" });
}

/** A random serial number: positive, 16 bytes. */
export function newSerial(): Uint8Array {
  const serial = Uint8Array.from(randomBytes(16));
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}
