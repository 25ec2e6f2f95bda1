// What a relying party asks of SNP platforms beyond being genuine.
import type { SnpTcb } from "./tcb.ts";

/** Demands on a platform; what is absent is not asked for. */
export interface SnpPolicy {
  /** Least security version of each part that is named. */
  readonly minimumTcb?: Partial<SnpTcb>;
  /** Least report version; version 2 can't name its processor. */
  readonly minimumReportVersion?: number;
  /** Privilege levels that may ask for reports; 0 alone when absent, and others are left to judge by the caller. */
  readonly vmpl?: readonly number[];
  /** Chips, in hexadecimal. A VLEK does not prove its chip. */
  readonly chipIds?: readonly string[];
  /** Cloud providers whose VLEK is accepted. */
  readonly cspIds?: readonly string[];
  readonly allowMigrationAgent?: boolean;
  /** Bits of the platform information that must be set: 32 says that memory aliases were looked for. */
  readonly platformInfo?: bigint;
  /** Bits of the mitigation vector that must be in force now. */
  readonly mitigations?: bigint;
}
