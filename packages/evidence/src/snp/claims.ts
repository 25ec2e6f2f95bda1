// What an SNP report says, under the names that every door of the platform uses.
import { toHex } from "@holdfast/core";
import { hexNumber } from "../binary/cursor.ts";
import type { SnpFirmware, SnpReport } from "./report.ts";
import { parseTcb, type SnpProduct, type SnpTcb, tcbHex } from "./tcb.ts";

/** Claims of a report; byte strings are lower-case hexadecimal. */
export interface SnpClaims {
  readonly snpReportVersion: number;
  readonly product: SnpProduct;
  readonly signer: "SEV-VCEK" | "SEV-VLEK";
  readonly policy: string;
  readonly vmpl: number;
  readonly guestSvn: number;
  readonly platformInfo: string;
  readonly keyInfo: number;
  readonly reportedTcb: SnpTcb;
  readonly reportedTcbHex: string;
  readonly committedTcb: string;
  readonly currentTcb: string;
  readonly launchTcb: string;
  readonly firmware: string;
  readonly committedFirmware: string;
  /** Family, model and stepping; since version 3. */
  readonly cpuid?: string;
  readonly measurement: string;
  readonly reportData: string;
  readonly hostData: string;
  readonly familyId: string;
  readonly imageId: string;
  readonly idKeyDigest: string;
  readonly authorKeyDigest: string;
  readonly reportId: string;
  readonly chipId: string;
  /** The provider a VLEK was issued to. */
  readonly cspId?: string;
  readonly launchMitigations?: string;
  readonly currentMitigations?: string;
  readonly debug: boolean;
}

/** Bits of a guest policy. */
export const SNP_POLICY = {
  smt: 1n << 16n,
  mustBeOne: 1n << 17n,
  migrationAgent: 1n << 18n,
  debug: 1n << 19n,
  singleSocket: 1n << 20n,
} as const;

/** Whether the guest's policy lets the host look into its memory. */
export function isSnpDebug({ policy }: Pick<SnpReport, "policy">): boolean {
  return (policy & SNP_POLICY.debug) !== 0n;
}

/** The claims of a report. */
export function snpClaims(
  report: SnpReport,
  leaf: { readonly kind: "vcek" | "vlek"; readonly product: SnpProduct; readonly cspId?: string },
): SnpClaims {
  const { cpuid, launchMitigations, currentMitigations } = report;
  return {
    snpReportVersion: report.version,
    product: leaf.product,
    signer: leaf.kind === "vcek" ? "SEV-VCEK" : "SEV-VLEK",
    policy: hexNumber(report.policy),
    vmpl: report.vmpl,
    guestSvn: report.guestSvn,
    platformInfo: hexNumber(report.platformInfo),
    keyInfo: report.keyInfo,
    reportedTcb: parseTcb(report.reportedTcb, leaf.product),
    reportedTcbHex: tcbHex(report.reportedTcb),
    committedTcb: tcbHex(report.committedTcb),
    currentTcb: tcbHex(report.currentTcb),
    launchTcb: tcbHex(report.launchTcb),
    firmware: firmwareText(report.current),
    committedFirmware: firmwareText(report.committed),
    ...(cpuid === undefined
      ? {}
      : { cpuid: toHex(Uint8Array.of(cpuid.family, cpuid.model, cpuid.stepping)) }),
    measurement: toHex(report.measurement),
    reportData: toHex(report.reportData),
    hostData: toHex(report.hostData),
    familyId: toHex(report.familyId),
    imageId: toHex(report.imageId),
    idKeyDigest: toHex(report.idKeyDigest),
    authorKeyDigest: toHex(report.authorKeyDigest),
    reportId: toHex(report.reportId),
    chipId: toHex(report.chipId),
    ...(leaf.cspId === undefined ? {} : { cspId: leaf.cspId }),
    ...(launchMitigations === undefined ? {} : { launchMitigations: hexNumber(launchMitigations) }),
    ...(currentMitigations === undefined
      ? {}
      : { currentMitigations: hexNumber(currentMitigations) }),
    debug: isSnpDebug(report),
  };
}

function firmwareText({ major, minor, build }: SnpFirmware): string {
  return `${major}.${minor}.${build}`;
}
