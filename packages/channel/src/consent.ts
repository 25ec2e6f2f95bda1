// Consent to a policy: an identity's signature over its hash, which anybody can check later.
import { createPrivateKey, type KeyObject, sign, verify, X509Certificate } from "node:crypto";
import { fromText } from "@holdfast/core";
import type { ClientIdentity } from "./keys.ts";

/** Signs consent to the policy of a hash (lower-case hexadecimal). */
export function signConsent({ keyPem }: ClientIdentity, policyHash: string): Uint8Array {
  const key = createPrivateKey(keyPem);
  return new Uint8Array(sign(digestUnder(key), consentText(policyHash), key));
}

/** Whether a signature is the consent of the identity behind a certificate; what can't be read is none. */
export function isConsent(
  certificateDer: Uint8Array,
  policyHash: string,
  signature: Uint8Array,
): boolean {
  try {
    const { publicKey } = new X509Certificate(certificateDer);
    return verify(digestUnder(publicKey), consentText(policyHash), publicKey, signature);
  } catch {
    return false;
  }
}

/** Nothing else that a key may sign starts like this. */
function consentText(policyHash: string): Uint8Array<ArrayBuffer> {
  return fromText(`holdfast consent v1\n${policyHash}\n`);
}

/** Keys that sign no digests take the text as it is. */
function digestUnder({ asymmetricKeyType }: KeyObject): "sha256" | undefined {
  return asymmetricKeyType?.startsWith("ed") ? undefined : "sha256";
}
