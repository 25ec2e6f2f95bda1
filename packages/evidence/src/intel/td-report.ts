// The body of a TDX quote: TD report 1.0, and 1.5, which adds the version after an update at run time and the measurement
// of a service TD (TDX DCAP quote library, appendix A.3.2).
import { ByteCursor } from "../binary/cursor.ts";
import { malformed } from "../errors.ts";

/** Lengths of the two generations. */
export const TD_REPORT_10_LENGTH = 584;
export const TD_REPORT_15_LENGTH = 648;

/** A body, read but not verified. */
export interface TdReport {
  readonly teeTcbSvn: Uint8Array;
  readonly mrSeam: Uint8Array;
  readonly mrSignerSeam: Uint8Array;
  readonly seamAttributes: Uint8Array;
  readonly tdAttributes: Uint8Array;
  readonly xfam: Uint8Array;
  readonly mrTd: Uint8Array;
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  readonly rtMrs: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  readonly reportData: Uint8Array;
  /** Of TD report 1.5. */
  readonly extension?: { readonly teeTcbSvn2: Uint8Array; readonly mrServiceTd: Uint8Array };
}

/**
 * Reads a body of either length.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function parseTdReport(input: Uint8Array): TdReport {
  if (input.length !== TD_REPORT_10_LENGTH && input.length !== TD_REPORT_15_LENGTH) {
    throw malformed(`TD report: ${input.length} bytes`);
  }
  const cursor = new ByteCursor(input, "little", "TD report");
  const measurement = (what: string): Uint8Array => cursor.bytes(48, what);
  const base = {
    teeTcbSvn: cursor.bytes(16, "TEE_TCB_SVN"),
    mrSeam: measurement("MRSEAM"),
    mrSignerSeam: measurement("MRSIGNERSEAM"),
    seamAttributes: cursor.bytes(8, "SEAMATTRIBUTES"),
    tdAttributes: cursor.bytes(8, "TDATTRIBUTES"),
    xfam: cursor.bytes(8, "XFAM"),
    mrTd: measurement("MRTD"),
    mrConfigId: measurement("MRCONFIGID"),
    mrOwner: measurement("MROWNER"),
    mrOwnerConfig: measurement("MROWNERCONFIG"),
    rtMrs: [
      measurement("RTMR0"),
      measurement("RTMR1"),
      measurement("RTMR2"),
      measurement("RTMR3"),
    ] as const,
    reportData: cursor.bytes(64, "REPORTDATA"),
  };
  if (cursor.left === 0) return base;
  const extension = {
    teeTcbSvn2: cursor.bytes(16, "TEE_TCB_SVN_2"),
    mrServiceTd: measurement("MRSERVICETD"),
  };
  return { ...base, extension };
}
