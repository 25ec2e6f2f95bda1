// Names and hashes of everything a verdict rests on besides the evidence, so that an audit can find the same again.
import { type CryptoPort, toHex } from "@holdfast/core";
import type { Collateral } from "../appraisal.ts";

/** Collateral of named bytes. */
export async function hashCollateral(
  named: readonly (readonly [name: string, bytes: Uint8Array])[],
  crypto: CryptoPort,
): Promise<Collateral[]> {
  return await Promise.all(
    named.map(async ([name, bytes]) => ({
      name,
      sha256: toHex(await crypto.digest("SHA-256", bytes)),
    })),
  );
}
