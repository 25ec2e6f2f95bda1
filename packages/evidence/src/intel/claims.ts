// What quotes say, under the names that every door of the platform uses; byte strings are lower-case hexadecimal.
import { toHex } from "@holdfast/core";
import type { EnclaveReport } from "./enclave-report.ts";
import type { PckAuthority, PckExtension } from "./pck.ts";
import type { Quote } from "./quote.ts";
import type { TdReport } from "./td-report.ts";

/** Claims about the platform, the same for SGX and TDX. */
export interface IntelPlatformClaims {
  readonly quoteVersion: number;
  readonly fmspc: string;
  readonly pceId: string;
  readonly cpuSvn: string;
  readonly pceSvn: number;
  readonly ppid: string;
  readonly platformInstanceId?: string;
  /** Which authority certified the platform. */
  readonly pckCa: PckAuthority;
  readonly qeIsvSvn: number;
  /** From the level that the platform reaches; absent without collateral. */
  readonly tcbDate?: string;
  readonly tcbEvaluationDataNumber?: number;
}

/** Claims of an enclave. */
export interface SgxClaims extends IntelPlatformClaims {
  readonly mrEnclave: string;
  readonly mrSigner: string;
  readonly isvProdId: number;
  readonly isvSvn: number;
  readonly attributes: string;
  readonly miscSelect: string;
  readonly configId: string;
  readonly configSvn: number;
  readonly isvExtProdId: string;
  readonly isvFamilyId: string;
  readonly reportData: string;
  readonly debug: boolean;
}

/** Claims of a TD. */
export interface TdxClaims extends IntelPlatformClaims {
  readonly mrTd: string;
  readonly mrSeam: string;
  readonly mrSignerSeam: string;
  readonly seamAttributes: string;
  readonly teeTcbSvn: string;
  readonly tdAttributes: string;
  readonly xfam: string;
  readonly mrConfigId: string;
  readonly mrOwner: string;
  readonly mrOwnerConfig: string;
  readonly rtMr0: string;
  readonly rtMr1: string;
  readonly rtMr2: string;
  readonly rtMr3: string;
  readonly reportData: string;
  /** Of TD report 1.5. */
  readonly teeTcbSvn2?: string;
  readonly mrServiceTd?: string;
  readonly debug: boolean;
}

const DEBUG = { sgx: 2, tdx: 1 } as const;

/** Whether the host may look inside. */
export function isIntelDebug({ body }: Pick<Quote, "body">): boolean {
  const attributes = body.kind === "sgx" ? body.report.attributes : body.report.tdAttributes;
  return ((attributes[0] ?? 0) & DEBUG[body.kind]) !== 0;
}

/** Claims about the platform. */
export function platformClaims(
  quote: Quote,
  pck: PckExtension,
  authority: PckAuthority,
): IntelPlatformClaims {
  const instance = pck.platformInstanceId;
  return {
    quoteVersion: quote.version,
    fmspc: toHex(pck.fmspc),
    pceId: toHex(pck.pceId),
    cpuSvn: toHex(pck.cpuSvn),
    pceSvn: pck.pceSvn,
    ppid: toHex(pck.ppid),
    ...(instance === undefined ? {} : { platformInstanceId: toHex(instance) }),
    pckCa: authority,
    qeIsvSvn: quote.qeReport.isvSvn,
  };
}

/** Claims of an enclave's report. */
export function sgxClaims(
  report: EnclaveReport,
  platform: IntelPlatformClaims,
  debug: boolean,
): SgxClaims {
  return {
    ...platform,
    mrEnclave: toHex(report.mrEnclave),
    mrSigner: toHex(report.mrSigner),
    isvProdId: report.isvProdId,
    isvSvn: report.isvSvn,
    attributes: toHex(report.attributes),
    miscSelect: toHex(report.miscSelect),
    configId: toHex(report.configId),
    configSvn: report.configSvn,
    isvExtProdId: toHex(report.isvExtProdId),
    isvFamilyId: toHex(report.isvFamilyId),
    reportData: toHex(report.reportData),
    debug,
  };
}

/** Claims of a TD's report. */
export function tdxClaims(
  report: TdReport,
  platform: IntelPlatformClaims,
  debug: boolean,
): TdxClaims {
  const [rtMr0, rtMr1, rtMr2, rtMr3] = report.rtMrs;
  const { extension } = report;
  return {
    ...platform,
    mrTd: toHex(report.mrTd),
    mrSeam: toHex(report.mrSeam),
    mrSignerSeam: toHex(report.mrSignerSeam),
    seamAttributes: toHex(report.seamAttributes),
    teeTcbSvn: toHex(report.teeTcbSvn),
    tdAttributes: toHex(report.tdAttributes),
    xfam: toHex(report.xfam),
    mrConfigId: toHex(report.mrConfigId),
    mrOwner: toHex(report.mrOwner),
    mrOwnerConfig: toHex(report.mrOwnerConfig),
    rtMr0: toHex(rtMr0),
    rtMr1: toHex(rtMr1),
    rtMr2: toHex(rtMr2),
    rtMr3: toHex(rtMr3),
    reportData: toHex(report.reportData),
    ...(extension === undefined
      ? {}
      : {
          teeTcbSvn2: toHex(extension.teeTcbSvn2),
          mrServiceTd: toHex(extension.mrServiceTd),
        }),
    debug,
  };
}
