// Finds the status of a platform: the level its security versions reach, and how TDX module and quoting enclave change it
// (Intel QVL, TCB level search and convergence).
import type { EnclaveIdentity } from "./enclave-identity.ts";
import type { PckExtension } from "./pck.ts";
import type { IsvLevel, ModuleIdentity, PlatformLevel, TcbInfo } from "./tcb-info.ts";
import { converge, isOutOfDate, needsConfiguration, type TcbStatus } from "./tcb-status.ts";
import type { TdReport } from "./td-report.ts";

/** What was found. */
export interface TcbEvaluation {
  readonly status: TcbStatus;
  readonly tcbDate: Date;
  readonly advisoryIds: readonly string[];
  readonly levelStatus: TcbStatus;
  readonly moduleStatus?: TcbStatus;
  readonly qeStatus: TcbStatus;
  /** Date of the newest level there is. */
  readonly newestTcbDate: Date;
}

/** What is evaluated. */
export interface TcbQuestion {
  readonly pck: Pick<PckExtension, "components" | "pceSvn">;
  readonly tcbInfo: TcbInfo;
  readonly identity: EnclaveIdentity;
  readonly qeIsvSvn: number;
  /** Of a TDX quote. */
  readonly td?: TdReport;
}

/** The identity that a TDX module of this version must have; undefined when Intel knows none. */
export function moduleIdentityOf(
  tcbInfo: TcbInfo,
  teeTcbSvn: Uint8Array,
): ModuleIdentity | undefined {
  const version = teeTcbSvn[1] ?? 0;
  if (version === 0) return tcbInfo.module;
  const id = `TDX_${version.toString(16).padStart(2, "0")}`;
  return tcbInfo.moduleIdentities.find(
    (identity) => identity.id?.toLowerCase() === id.toLowerCase(),
  );
}

/** Evaluates; a text says why there is no result. */
export function evaluateTcb(question: TcbQuestion): TcbEvaluation | string {
  const { tcbInfo, identity, td, pck } = question;
  const onPlatform = tcbInfo.levels.filter((level) => reachesSgx(level, pck));
  if (onPlatform.length === 0) return "no TCB level matches (SGX)";
  const level =
    td === undefined ? onPlatform[0] : onPlatform.find((each) => reachesTdx(each, td.teeTcbSvn));
  if (level === undefined) return "no TCB level matches (TDX)";
  const qe = firstReached(identity.levels, question.qeIsvSvn);
  if (qe === undefined) return "no level of the quoting enclave matches";
  const module = td === undefined ? undefined : moduleLevelOf(tcbInfo, td.teeTcbSvn);
  if (module === "none") return "no level of the TDX module matches";
  const withModule = converge(level.tcbStatus, module?.tcbStatus ?? "UpToDate");
  const status = converge(withModule, qe.tcbStatus);
  const relaunch =
    td === undefined
      ? undefined
      : relaunchStatus(status, { tcbInfo, td, qe, sgx: onPlatform[0] ?? level });
  const used = [level, ...(module === undefined ? [] : [module]), qe];
  return {
    status: relaunch ?? status,
    tcbDate: level.tcbDate,
    advisoryIds: [...new Set(used.flatMap(({ advisoryIds }) => advisoryIds))].toSorted(),
    levelStatus: level.tcbStatus,
    ...(module === undefined ? {} : { moduleStatus: module.tcbStatus }),
    qeStatus: qe.tcbStatus,
    newestTcbDate: tcbInfo.levels[0]?.tcbDate ?? level.tcbDate,
  };
}

function reachesSgx(level: PlatformLevel, pck: TcbQuestion["pck"]): boolean {
  return pck.pceSvn >= level.pceSvn && reaches(pck.components, level.sgxComponents, 0);
}

/** Components 0 and 1 belong to the module, whose own identity decides as soon as it has a version. */
function reachesTdx({ tdxComponents }: PlatformLevel, teeTcbSvn: Uint8Array): boolean {
  const from = (teeTcbSvn[1] ?? 0) > 0 ? 2 : 0;
  return tdxComponents !== undefined && reaches([...teeTcbSvn], tdxComponents, from);
}

function reaches(have: readonly number[], need: readonly number[], from: number): boolean {
  return need.every((svn, index) => index < from || (have[index] ?? -1) >= svn);
}

function firstReached(levels: readonly IsvLevel[], isvSvn: number): IsvLevel | undefined {
  return levels.find((level) => level.isvSvn <= isvSvn);
}

/** The level of the module; undefined for the first generation, which has none of its own. */
function moduleLevelOf(tcbInfo: TcbInfo, teeTcbSvn: Uint8Array): IsvLevel | "none" | undefined {
  if ((teeTcbSvn[1] ?? 0) === 0) return undefined;
  const identity = moduleIdentityOf(tcbInfo, teeTcbSvn);
  return firstReached(identity?.levels ?? [], teeTcbSvn[0] ?? 0) ?? "none";
}

/**
 * A TD that was started under an old module which has been updated since: what the platform is now would be fine, so that
 * starting the TD anew is all that is needed.
 */
function relaunchStatus(
  status: TcbStatus,
  parts: { tcbInfo: TcbInfo; td: TdReport; qe: IsvLevel; sgx: PlatformLevel },
): TcbStatus | undefined {
  const { tcbInfo, td, qe, sgx } = parts;
  const now = td.extension?.teeTcbSvn2;
  if (now === undefined || !isOutOfDate(status)) return undefined;
  const fine = (each: TcbStatus): boolean => !isOutOfDate(each) && each !== "Revoked";
  if (!fine(qe.tcbStatus) || !fine(sgx.tcbStatus)) return undefined;
  const newest = tcbInfo.levels[0]?.tdxComponents ?? [];
  const moduleVersion = now[1] ?? 0;
  const newestModule =
    moduleVersion === 0 ? newest[0] : moduleIdentityOf(tcbInfo, now)?.levels[0]?.isvSvn;
  const current =
    newestModule !== undefined &&
    (now[0] ?? 0) >= newestModule &&
    (now[2] ?? 0) >= (newest[2] ?? Number.POSITIVE_INFINITY);
  if (!current) return undefined;
  return needsConfiguration(sgx.tcbStatus)
    ? "TDRelaunchAdvisedConfigurationNeeded"
    : "TDRelaunchAdvised";
}
