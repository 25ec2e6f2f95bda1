// The cryptography that verifiers use, as a port, so that one verifier runs in Node and in a browser.
import type { webcrypto } from "node:crypto";

/** Digest names as the specifications write them. */
export type DigestName = "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512";

/** A signature scheme, named by what the specifications call it. */
export type SignatureScheme =
  | {
      readonly kind: "ecdsa";
      readonly curve: "P-256" | "P-384" | "P-521";
      readonly hash: DigestName;
    }
  | { readonly kind: "rsa-pkcs1"; readonly hash: DigestName }
  | { readonly kind: "rsa-pss"; readonly hash: DigestName; readonly saltLength: number }
  | { readonly kind: "ed25519" };

/** What a verifier asks of its surroundings. Both answers are asynchronous because a browser's are. */
export interface CryptoPort {
  /** Digest of the data. */
  digest(name: DigestName, data: Uint8Array): Promise<Uint8Array>;
  /**
   * Whether a signature holds. A key or signature that can't be read is `false`, never an exception.
   * @param spki the public key, DER SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7)
   * @param signature for ECDSA r||s of the curve's length (IEEE P1363), else as the scheme defines
   */
  verify(
    scheme: SignatureScheme,
    spki: Uint8Array,
    signature: Uint8Array,
    data: Uint8Array,
  ): Promise<boolean>;
}

/** A crypto port over the Web Cryptography API, present in Node and in browsers. */
export const webCrypto: CryptoPort = {
  async digest(name, data) {
    return new Uint8Array(await crypto.subtle.digest(name, data.slice()));
  },
  async verify(scheme, spki, signature, data) {
    try {
      const key = await crypto.subtle.importKey(
        "spki",
        spki.slice(),
        importParameters(scheme),
        false,
        ["verify"],
      );
      return await crypto.subtle.verify(
        verifyParameters(scheme),
        key,
        signature.slice(),
        data.slice(),
      );
    } catch {
      // An unreadable key or a wrong length is a signature that does not hold.
      return false;
    }
  },
};

function importParameters(
  scheme: SignatureScheme,
): webcrypto.EcKeyImportParams | webcrypto.RsaHashedImportParams | string {
  switch (scheme.kind) {
    case "ecdsa":
      return { name: "ECDSA", namedCurve: scheme.curve };
    case "rsa-pkcs1":
      return { name: "RSASSA-PKCS1-v1_5", hash: scheme.hash };
    case "rsa-pss":
      return { name: "RSA-PSS", hash: scheme.hash };
    case "ed25519":
      return "Ed25519";
  }
}

function verifyParameters(
  scheme: SignatureScheme,
): webcrypto.EcdsaParams | webcrypto.RsaPssParams | string {
  switch (scheme.kind) {
    case "ecdsa":
      return { name: "ECDSA", hash: scheme.hash };
    case "rsa-pkcs1":
      return "RSASSA-PKCS1-v1_5";
    case "rsa-pss":
      return { name: "RSA-PSS", saltLength: scheme.saltLength };
    case "ed25519":
      return "Ed25519";
  }
}
