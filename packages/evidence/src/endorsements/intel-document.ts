// A document of Intel's provisioning service: the signed text exactly as it came, and its signature. Parsing and
// re-serialising would lose the bytes that the signature is over.

/** TCB information or an enclave identity, not verified. */
export interface IntelDocument {
  /** The signed JSON text, verbatim. */
  readonly text: string;
  /** r||s, 64 bytes. */
  readonly signature: Uint8Array;
}
