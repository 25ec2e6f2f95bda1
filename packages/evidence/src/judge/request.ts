// What a caller asks of a verifier, the same for every kind of evidence.
import type { Certificate, CryptoPort } from "@holdfast/core";
import type { Endorsements } from "../endorsements/endorsements.ts";

/** Claims the caller insists on: for each name the values that are accepted. */
export type Expectations = ReadonlyMap<string, readonly string[]>;

/** How to judge evidence. */
export interface JudgeRequest {
  /** The time to judge at. */
  readonly at: Date;
  readonly crypto: CryptoPort;
  /** Certificates, revocation lists and the vendor's information on security versions, in any order. Not trusted. */
  readonly endorsements: Endorsements;
  /** Roots to trust beside the vendors' own: a simulated platform's, a private authority's. */
  readonly anchors?: readonly Certificate[];
  /** What the evidence must carry as its nonce. */
  readonly nonce?: Uint8Array;
  /** What the evidence must carry as report data (user data): at most 64 bytes, the rest must be zero. */
  readonly reportData?: Uint8Array;
  readonly expect?: Expectations;
  /** Whether a platform in debug mode may be affirmed. Never by default. */
  readonly allowDebug?: boolean;
  /** Names of checks that the caller does without when they can't be made. A check that fails still refuses. */
  readonly waive?: readonly string[];
}
