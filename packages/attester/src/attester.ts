// What obtains evidence: the Nitro Security Module's contract, which other platforms fit under.
import { AttesterError } from "./errors.ts";

/** What evidence is bound to. */
export interface EvidenceInput {
  /** The verifier's challenge. */
  readonly nonce?: Uint8Array;
  readonly userData?: Uint8Array;
  readonly publicKey?: Uint8Array;
}

/** Obtains evidence about the place it runs in. */
export interface Attester {
  /**
   * Evidence made now.
   * @throws AttesterError
   */
  attest(input: EvidenceInput): Promise<Uint8Array>;
}

const MOST = { nonce: 512, userData: 512, publicKey: 1024 } as const;

/** Refuses what the Nitro module would refuse: fields over its bounds, an empty public key. */
export function checkInput(input: EvidenceInput): void {
  for (const name of ["nonce", "userData", "publicKey"] as const) {
    const length = input[name]?.length;
    if (length === undefined) continue;
    if (length > MOST[name] || (name === "publicKey" && length === 0)) {
      throw new AttesterError("ATTESTER_INPUT", `${name}: ${length} bytes, at most ${MOST[name]}`);
    }
  }
}
