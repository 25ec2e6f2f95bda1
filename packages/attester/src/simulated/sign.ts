// Signing as the simulated platform does it: ECDSA over P-384 with SHA-384.
import { type KeyObject, randomBytes, sign } from "node:crypto";

/** Signs certificates: the signature as a DER sequence. */
export function certificateSigner(key: KeyObject): (tbs: Uint8Array) => Uint8Array {
  return (tbs) => sign("sha384", tbs, key);
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
