// Checks of what a report says about the guest and its platform.
import { type Check, check, notPerformed, toHex } from "@holdfast/core";
import { hexNumber } from "../binary/cursor.ts";
import { isSnpDebug, SNP_POLICY } from "./claims.ts";
import type { SnpLeaf } from "./leaf.ts";
import type { SnpPolicy } from "./policy.ts";
import type { SnpFirmware, SnpReport } from "./report.ts";
import { atLeast, parseTcb, type SnpTcb, tcbText } from "./tcb.ts";

const KNOWN_POLICY = 2n ** 26n - 1n;

/** ECDSA P-384 with SHA-384 is the one algorithm there is. */
export function signatureAlgorithmCheck({ signatureAlgorithm }: SnpReport): Check {
  return check(
    "snp.signature-algorithm",
    signatureAlgorithm === 1,
    `signature algorithm ${signatureAlgorithm}, 1 (ECDSA P-384 with SHA-384) expected`,
  );
}

/** Firmware that was committed is no older than what is reported, and what runs is no older than that. */
export function tcbOrderCheck(report: SnpReport, { product }: SnpLeaf): Check {
  const name = "snp.tcb-order";
  const reported = parseTcb(report.reportedTcb, product);
  const committed = parseTcb(report.committedTcb, product);
  const current = parseTcb(report.currentTcb, product);
  const launch = parseTcb(report.launchTcb, product);
  const steps: readonly (readonly [string, SnpTcb, string, SnpTcb])[] = [
    ["committed", committed, "reported", reported],
    ["current", current, "committed", committed],
    ["current", current, "launch", launch],
  ];
  for (const [higher, have, lower, least] of steps) {
    if (!atLeast(have, least)) {
      return check(
        name,
        false,
        `${higher} (${tcbText(have)}) is below ${lower} (${tcbText(least)})`,
      );
    }
  }
  if (firmwareNumber(report.current) < firmwareNumber(report.committed)) {
    return check(name, false, "the current firmware is below the committed firmware");
  }
  return check(name, true, "current is at least committed, committed at least reported");
}

/** The host can't look inside. */
export function debugCheck(report: SnpReport, allowed: boolean): Check {
  const debug = isSnpDebug(report);
  if (!debug) return check("snp.debug", true, "the guest policy forbids debugging");
  return check(
    "snp.debug",
    allowed,
    allowed
      ? "the guest policy allows debugging, which the caller allows"
      : "the guest policy allows debugging: the host can read the guest's memory",
  );
}

/** The guest policy's other bits. */
export function guestPolicyCheck({ policy }: SnpReport, demands: SnpPolicy): Check {
  const name = "snp.policy";
  const text = hexNumber(policy);
  if ((policy & SNP_POLICY.mustBeOne) === 0n) {
    return check(name, false, `guest policy ${text}: bit 17 must be set`);
  }
  if ((policy & ~KNOWN_POLICY) !== 0n) {
    return check(name, false, `guest policy ${text} has bits that are not known here`);
  }
  const migration = (policy & SNP_POLICY.migrationAgent) !== 0n;
  if (migration && !demands.allowMigrationAgent) {
    return check(name, false, `guest policy ${text} lets a migration agent export the guest`);
  }
  return check(name, true, `guest policy ${text}`);
}

/** The privilege level that asked for the report: software at a lower one can't speak for the guest's kernel. */
export function vmplCheck({ vmpl }: SnpReport, { vmpl: accepted }: SnpPolicy): Check {
  const name = "snp.vmpl";
  if (accepted !== undefined) {
    return check(name, accepted.includes(vmpl), `level ${vmpl}, ${accepted.join(" or ")} expected`);
  }
  if (vmpl === 0) return check(name, true, "asked for at level 0");
  if (vmpl > 3) return check(name, false, `level ${vmpl} does not exist`);
  return notPerformed(name, `asked for at level ${vmpl}: say which levels may speak for the guest`);
}

/** Demands of the relying party on the platform, a check for each that is made. */
export function demandChecks(report: SnpReport, leaf: SnpLeaf, demands: SnpPolicy): Check[] {
  const { minimumTcb, minimumReportVersion, chipIds, cspIds, platformInfo, mitigations } = demands;
  const reported = parseTcb(report.reportedTcb, leaf.product);
  return [
    ...(minimumTcb === undefined ? [] : [minimumTcbCheck(reported, minimumTcb)]),
    ...(minimumReportVersion === undefined
      ? []
      : [
          check(
            "snp.minimum-version",
            report.version >= minimumReportVersion,
            `report version ${report.version}, at least ${minimumReportVersion} expected`,
          ),
        ]),
    ...(chipIds === undefined ? [] : [chipListCheck(report, leaf, chipIds)]),
    ...(cspIds === undefined
      ? []
      : [
          check(
            "snp.csp",
            leaf.cspId !== undefined && cspIds.includes(leaf.cspId),
            `provider ${leaf.cspId ?? "unknown"}, ${cspIds.join(" or ")} expected`,
          ),
        ]),
    ...bitsChecks("snp.platform-info", report.platformInfo, platformInfo),
    ...bitsChecks("snp.mitigations", report.currentMitigations ?? 0n, mitigations),
  ];
}

function minimumTcbCheck(reported: SnpTcb, least: Partial<SnpTcb>): Check {
  const full = { bl: 0, tee: 0, snp: 0, ucode: 0, ...least };
  return check(
    "snp.minimum-tcb",
    atLeast(reported, full),
    `${tcbText(reported)}; at least ${tcbText(full)} expected`,
  );
}

function chipListCheck({ chipId }: SnpReport, leaf: SnpLeaf, accepted: readonly string[]): Check {
  const name = "snp.chip-list";
  if (leaf.hardwareId === undefined) return check(name, false, "a VLEK does not prove its chip");
  const id = toHex(chipId);
  const listed = accepted.some((chip) => chip.toLowerCase() === id);
  return check(name, listed, listed ? "the chip is listed" : `chip ${id} is not listed`);
}

function bitsChecks(name: string, have: bigint, need: bigint | undefined): Check[] {
  if (need === undefined) return [];
  return [
    check(name, (have & need) === need, `${hexNumber(have)}, bits ${hexNumber(need)} expected`),
  ];
}

function firmwareNumber({ major, minor, build }: SnpFirmware): number {
  return (major << 16) | (minor << 8) | build;
}
