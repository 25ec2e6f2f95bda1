// The door of policy: the agreement of who may do what, on which platform. Pure.
export * from "./compose.ts";
export { type Change, diffPolicies, type Effect, type PolicyDifference } from "./diff.ts";
export * from "./errors.ts";
export * from "./evaluate.ts";
export * from "./explain.ts";
export * from "./exposed-to.ts";
export * from "./function-policy.ts";
export type { HoldfastTerms, Limits, ReadLimit } from "./holdfast-terms.ts";
export type { PolicyInput } from "./input-terms.ts";
export { lintPolicy, type Warning } from "./lint.ts";
export type { FileRight } from "./parts.ts";
export * from "./path.ts";
export * from "./policy.ts";
export * from "./rights.ts";
export * from "./rights-table.ts";
export * from "./user-policy.ts";
export {
  CIPHERSUITES,
  type ExpiryFields,
  type FileHash,
  parseVaasPolicy,
  type VaasIdentity,
  type VaasPolicy,
  type VaasProgram,
} from "./vaas-policy.ts";
