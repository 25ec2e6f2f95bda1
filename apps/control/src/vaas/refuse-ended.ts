// A policy whose date is over: no keep is started that would never be taken for proven.
import { PolicyError, type VaasPolicy } from "@holdfast/policy";

/**
 * Refuses a policy that ended.
 * @throws PolicyError POLICY_INVALID
 */
export function refuseEnded({ enclave_cert_expiry: expiry }: VaasPolicy, at: Date): void {
  if (expiry === undefined) return;
  const { year, month, day, hour, minute } = expiry;
  const end = new Date(Date.UTC(year, month - 1, day, hour, minute));
  if (end > at) return;
  const message = `the policy ended at ${end.toISOString()}`;
  throw new PolicyError("POLICY_INVALID", message, [
    { code: "EXPIRY_OVER", pointer: "/enclave_cert_expiry", message },
  ]);
}
