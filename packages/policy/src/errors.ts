// Faults of a policy, all at once.
import { HoldfastError } from "@holdfast/core";

/** Codes of policy errors. */
export type PolicyErrorCode =
  | "POLICY_INVALID"
  | "PATH_EMPTY"
  | "PATH_TOO_LONG"
  | "PATH_CHARACTER"
  | "PATH_RELATIVE"
  | "PATH_ESCAPE";

/** One fault: a permanent code, where it is (JSON pointer, RFC 6901), and a sentence. */
export interface Fault {
  readonly code: string;
  readonly pointer: string;
  readonly message: string;
}

/** A policy, or a path in one, that can't be accepted. */
export class PolicyError extends HoldfastError {
  declare readonly code: PolicyErrorCode;
  readonly faults: readonly Fault[];

  constructor(code: PolicyErrorCode, message: string, faults: readonly Fault[] = []) {
    super(code, message, { details: { faults: faults.map((fault) => fault.code) } });
    this.faults = faults;
  }
}
