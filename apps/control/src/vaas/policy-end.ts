// When policies end: no keep is started that would never be taken for proven, and none stays beyond its end.
import { PolicyError, type VaasPolicy } from "@holdfast/policy";
import type { StoredKeep } from "@holdfast/store";

type Expiry = NonNullable<VaasPolicy["enclave_cert_expiry"]>;

/** When the policy of a keep ends. The text is one that this room composed. */
export function policyEnd({ policy }: Pick<StoredKeep, "policy">): Date {
  const { enclave_cert_expiry: expiry } = JSON.parse(policy) as { enclave_cert_expiry: Expiry };
  return dateOf(expiry);
}

/**
 * Refuses a policy that ended.
 * @throws PolicyError POLICY_INVALID
 */
export function refuseEnded({ enclave_cert_expiry: expiry }: VaasPolicy, at: Date): void {
  if (expiry === undefined) return;
  const end = dateOf(expiry);
  if (end > at) return;
  const message = `the policy ended at ${end.toISOString()}`;
  throw new PolicyError("POLICY_INVALID", message, [
    { code: "EXPIRY_OVER", pointer: "/enclave_cert_expiry", message },
  ]);
}

function dateOf({ year, month, day, hour, minute }: Expiry): Date {
  return new Date(Date.UTC(year, month - 1, day, hour, minute));
}
