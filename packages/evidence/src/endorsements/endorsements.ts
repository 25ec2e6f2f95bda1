// Endorsements: what vendors say about their platforms, beside the evidence. They come as files in any order and are told
// apart by content. Being here makes none of them trusted: each is verified up to a pinned root when it is used.
import type { Certificate, RevocationList } from "@holdfast/core";
import type { IntelDocument } from "./intel-document.ts";
import type { TrustedKey } from "./trusted-key.ts";

/** A file that could not be used, and why. */
export interface IgnoredEndorsement {
  readonly name: string;
  readonly reason: string;
}

/** All endorsements by kind. */
export interface Endorsements {
  readonly certificates: readonly Certificate[];
  readonly revocationLists: readonly RevocationList[];
  /** TCB information and enclave identities of Intel, each with its signature over the verbatim text. */
  readonly intel: readonly IntelDocument[];
  /** Keys that the caller enrolled by other means: attestation keys of TPM, PSA and CCA platforms. */
  readonly keys: readonly TrustedKey[];
  /** Files that endorse nothing, kept for evidence that comes in several: a TPM's signature, its PCR values. */
  readonly parts: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly ignored: readonly IgnoredEndorsement[];
}

/** No endorsements. */
export const NO_ENDORSEMENTS: Endorsements = {
  certificates: [],
  revocationLists: [],
  intel: [],
  keys: [],
  parts: [],
  ignored: [],
};
