// Names and hashes of everything a verdict rests on besides the evidence, so that an audit can find the same again.
import { type CryptoPort, toHex } from "@holdfast/core";
import type { Collateral } from "../appraisal.ts";

/** Digests of documents that were hashed before: the same certificates and lists go with one piece of evidence after another. */
const DIGESTS = new WeakMap<Uint8Array, string>();

/** Collateral of named bytes, which nobody changes any more. */
export async function hashCollateral(
  named: readonly (readonly [name: string, bytes: Uint8Array])[],
  crypto: CryptoPort,
): Promise<Collateral[]> {
  const hashed: Collateral[] = [];
  for (const [name, bytes] of named) {
    const sha256 = DIGESTS.get(bytes) ?? toHex(await crypto.digest("SHA-256", bytes));
    DIGESTS.set(bytes, sha256);
    hashed.push({ name, sha256 });
  }
  return hashed;
}
