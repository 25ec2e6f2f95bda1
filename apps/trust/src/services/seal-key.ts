// A key for one keep: JSON Web Encryption (RFC 7516) under a key agreed with the public key of the keep's own request.
import type { KeyObject } from "node:crypto";
import type { ReleasedKey } from "@holdfast/contract";
import { FlattenedEncrypt } from "jose";

/**
 * Encrypts a key.
 * @param recipient public key on P-256
 */
export async function sealKey(
  bytes: Uint8Array,
  recipient: KeyObject,
): Promise<ReleasedKey["jwe"]> {
  const jwe = await new FlattenedEncrypt(bytes)
    .setProtectedHeader({ alg: "ECDH-ES+A256KW", enc: "A256GCM" })
    .encrypt(recipient);
  const { protected: header = "", encrypted_key = "", iv = "", ciphertext, tag = "" } = jwe;
  return { protected: header, encrypted_key, iv, ciphertext, tag };
}
