// Keys of Arm platforms: enrolled by their maker or owner, found by the instance a token names.
import type { CryptoPort } from "@holdfast/core";
import { isSign1By, type Sign1 } from "../cose/sign1.ts";
import type { Endorsements } from "../endorsements/endorsements.ts";
import type { TrustedKey } from "../endorsements/trusted-key.ts";

const INSTANCE = /^01[0-9a-f]{64}$/;

/** What was found for an instance. */
export interface FoundKey {
  readonly key: TrustedKey | undefined;
  readonly signed: boolean;
}

/**
 * The key of an instance: enrolled under its id, or without an instance's name. A key enrolled for another instance never
 * speaks for this one.
 */
export async function keyOfInstance(
  token: Sign1,
  instanceId: string,
  { keys }: Endorsements,
  crypto: CryptoPort,
): Promise<FoundKey> {
  const named = keys.filter(({ name }) => name === instanceId);
  const candidates =
    named.length > 0 ? named : keys.filter(({ name }) => !INSTANCE.test(name ?? ""));
  for (const key of candidates) {
    if (await isSign1By(token, key.spki, key.key, crypto)) return { key, signed: true };
  }
  return { key: candidates[0], signed: false };
}
