// How to judge a Nitro document: what is trusted, when, and what the document must be bound to.
import type { Certificate, CryptoPort } from "@holdfast/core";

/** What a binding must equal; `waived` says on purpose that the caller does without. */
export type Binding = Uint8Array | "waived";

/** How to judge a document. */
export interface NitroRequest {
  /** Trusted roots: `awsNitroRoot()`, or a simulated one. */
  readonly anchors: readonly Certificate[];
  /** The time to judge at; `document`, for audits, is the time the document itself names. */
  readonly at: Date | "document";
  readonly crypto: CryptoPort;
  readonly nonce: Binding;
  readonly userData: Binding;
  readonly publicKey?: Binding;
  /** Expected PCR values by index; each must be there. `waived`: the caller judges the claims itself. */
  readonly pcrs: ReadonlyMap<number, Uint8Array> | "waived";
  readonly allowDebug?: boolean;
  /** How old the document may be, in milliseconds; three hours by default, the life of a leaf certificate. */
  readonly maximumAge?: number;
}
