// Writes SNP reports field by field, signed by any P-384 key.
import { type KeyObject, sign } from "node:crypto";

/** Fields of a report that tests set; the rest is zero. */
export interface SnpReportFields {
  readonly version: number;
  readonly guestSvn: number;
  readonly policy: bigint;
  readonly vmpl: number;
  readonly signatureAlgorithm: number;
  readonly platformInfo: bigint;
  readonly keyInfo: number;
  readonly reportData: Uint8Array;
  readonly measurement: Uint8Array;
  readonly chipId: Uint8Array;
  readonly cpuid: readonly [family: number, model: number, stepping: number];
  readonly currentTcb: Uint8Array;
  readonly reportedTcb: Uint8Array;
  readonly committedTcb: Uint8Array;
  readonly launchTcb: Uint8Array;
  /** Build, minor, major. */
  readonly current: readonly [number, number, number];
  readonly committed: readonly [number, number, number];
  readonly mitigations: bigint;
}

const LENGTH = 0x4a0;
const SIGNED = 0x2a0;

/** Bytes of a signed report. */
export function encodeSnpReport(
  fields: SnpReportFields,
  key: KeyObject,
  changeBeforeSigning: (report: Uint8Array) => void = () => {},
): Uint8Array {
  const report = new Uint8Array(LENGTH);
  const view = new DataView(report.buffer);
  view.setUint32(0, fields.version, true);
  view.setUint32(4, fields.guestSvn, true);
  view.setBigUint64(8, fields.policy, true);
  view.setUint32(0x30, fields.vmpl, true);
  view.setUint32(0x34, fields.signatureAlgorithm, true);
  report.set(fields.currentTcb, 0x38);
  view.setBigUint64(0x40, fields.platformInfo, true);
  view.setUint32(0x48, fields.keyInfo, true);
  report.set(fields.reportData, 0x50);
  report.set(fields.measurement, 0x90);
  report.fill(0xff, 0x160, 0x180);
  report.set(fields.reportedTcb, 0x180);
  if (fields.version >= 3) report.set(fields.cpuid, 0x188);
  report.set(fields.chipId, 0x1a0);
  report.set(fields.committedTcb, 0x1e0);
  report.set(fields.current, 0x1e8);
  report.set(fields.committed, 0x1ec);
  report.set(fields.launchTcb, 0x1f0);
  if (fields.version >= 5) view.setBigUint64(0x200, fields.mitigations, true);
  changeBeforeSigning(report);
  const p1363 = sign("sha384", report.subarray(0, SIGNED), { key, dsaEncoding: "ieee-p1363" });
  report.set(p1363.subarray(0, 48).toReversed(), SIGNED);
  report.set(p1363.subarray(48).toReversed(), SIGNED + 72);
  return report;
}
