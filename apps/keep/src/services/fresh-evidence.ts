// Evidence made now over a caller's nonce, bound to the key that the caller's connection is encrypted to.
import { evidenceOver } from "../boot/attest-keep.ts";
import { KeepError } from "../errors.ts";
import type { KeepState } from "../state/keep-state.ts";

/** Evidence with what is needed to check it. */
export interface FreshEvidence {
  readonly platform: string;
  readonly evidence: Uint8Array;
  /** The keep's certification request, DER: the evidence carries its SHA-256. */
  readonly request: Uint8Array;
}

const MAXIMUM_WAITING = 16;

/**
 * Asks the platform for evidence.
 * @throws KeepError REQUEST_LIMIT when too many wait for it already; BootError BOOT_EVIDENCE
 */
export async function freshEvidence(keep: KeepState, nonce: Uint8Array): Promise<FreshEvidence> {
  if (keep.evidenceWaiting >= MAXIMUM_WAITING) {
    throw new KeepError("REQUEST_LIMIT", "many wait for evidence already; try again later");
  }
  const { key, verdict } = keep.attested;
  keep.evidenceWaiting += 1;
  try {
    const evidence = await evidenceOver(keep.device, key, nonce);
    return { platform: verdict.platform, evidence, request: key.request };
  } finally {
    keep.evidenceWaiting -= 1;
  }
}
