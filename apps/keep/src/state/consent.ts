// Consent: identities that must sign the policy hash before the keep takes any data.
import { isConsent } from "@holdfast/channel";
import { toBase64 } from "@holdfast/core";
import type { Policy, PolicyIdentity } from "@holdfast/policy";
import { KeepError } from "../errors.ts";

/** Who has consented, and with which signature. */
export class Consent {
  readonly #required: readonly number[];
  readonly #policyHash: string;
  readonly #given = new Map<number, string>();
  /** Resolves once nobody's consent is missing. */
  readonly complete: Promise<void>;
  #completed: () => void = () => undefined;

  constructor(policy: Policy, policyHash: string) {
    this.#required = policy.terms.consent;
    this.#policyHash = policyHash;
    this.complete = new Promise((resolve) => {
      this.#completed = resolve;
    });
    this.#settle();
  }

  /** Identities whose consent the policy asks for. */
  get required(): readonly number[] {
    return this.#required;
  }

  /** Base64 signatures by identity. */
  get given(): ReadonlyMap<number, string> {
    return this.#given;
  }

  /**
   * Takes an identity's signature over the consent text.
   * @throws KeepError CONSENT_INVALID when the policy does not ask this identity, or the signature does not hold
   */
  give(identity: PolicyIdentity, signature: Uint8Array): void {
    if (!this.#required.includes(identity.id)) {
      throw new KeepError("CONSENT_INVALID", "the policy does not ask this identity for consent");
    }
    if (!isConsent(identity.certificateDer, this.#policyHash, signature)) {
      throw new KeepError("CONSENT_INVALID", "the signature is not over this policy's hash");
    }
    this.#given.set(identity.id, toBase64(signature));
    this.#settle();
  }

  /** @throws KeepError CONSENT_MISSING while anybody's consent is missing */
  demand(): void {
    const missing = this.#missing();
    if (missing.length === 0) return;
    throw new KeepError(
      "CONSENT_MISSING",
      `the keep takes no data before identities ${missing.join(", ")} have signed the policy hash`,
    );
  }

  #missing(): number[] {
    return this.#required.filter((id) => !this.#given.has(id));
  }

  #settle(): void {
    if (this.#missing().length === 0) this.#completed();
  }
}
