// What a relying party asks of Intel platforms beyond being genuine.
import type { TcbStatus } from "./tcb-status.ts";

/** Demands on a platform; what is absent is not asked for. */
export interface IntelPolicy {
  /** Statuses that are accepted; UpToDate alone when absent. Revoked never is. */
  readonly tcbStatuses?: readonly TcbStatus[];
  /** How many days after the date of the newest level a platform may still be out of date. */
  readonly graceDays?: number;
  /** The oldest date of a level that is accepted. */
  readonly minimumTcbDate?: Date;
  /** The oldest evaluation data number of the collateral that is accepted. */
  readonly minimumEvaluationDataNumber?: number;
  /** Advisories that may apply; when given, no others may. */
  readonly allowedAdvisories?: readonly string[];
  /** Advisories that must not apply. */
  readonly deniedAdvisories?: readonly string[];
  /** Platforms, by PPID or platform instance id in hexadecimal. */
  readonly platformIds?: readonly string[];
  /** Whether enclaves with access to the provisioning or launch key are accepted. */
  readonly allowProvisionKey?: boolean;
  /** Whether TDs without SEPT_VE_DISABLE are accepted: their kernel must withstand virtualisation exceptions. */
  readonly allowSeptVe?: boolean;
  /** Measurements of service TDs, in hexadecimal, that may be bound to a TD. */
  readonly serviceTds?: readonly string[];
}
