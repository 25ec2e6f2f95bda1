// The report body of an SGX enclave (Intel SDM volume 3D, REPORT structure): 384 bytes, little-endian.
import { ByteCursor, exactly } from "../binary/cursor.ts";

/** Length of a report body. */
export const SGX_REPORT_LENGTH = 384;

/** A report body, read but not verified. */
export interface EnclaveReport {
  readonly cpuSvn: Uint8Array;
  /** As in memory, little-endian. */
  readonly miscSelect: Uint8Array;
  readonly isvExtProdId: Uint8Array;
  readonly attributes: Uint8Array;
  readonly mrEnclave: Uint8Array;
  readonly mrSigner: Uint8Array;
  readonly configId: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
  readonly configSvn: number;
  readonly isvFamilyId: Uint8Array;
  readonly reportData: Uint8Array;
}

/** Bits of the first attribute byte. */
export const SGX_ATTRIBUTE = {
  init: 1,
  debug: 2,
  mode64: 4,
  provisionKey: 16,
  launchKey: 32,
} as const;

/**
 * Reads a report body. Reserved fields are left alone: processors of later generations fill some.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function parseEnclaveReport(input: Uint8Array): EnclaveReport {
  const cursor = new ByteCursor(
    exactly(input, SGX_REPORT_LENGTH, "enclave report"),
    "little",
    "enclave report",
  );
  const cpuSvn = cursor.bytes(16, "CPUSVN");
  const miscSelect = cursor.bytes(4, "MISCSELECT");
  cursor.bytes(12, "reserved");
  const isvExtProdId = cursor.bytes(16, "ISVEXTPRODID");
  const attributes = cursor.bytes(16, "ATTRIBUTES");
  const mrEnclave = cursor.bytes(32, "MRENCLAVE");
  cursor.bytes(32, "reserved");
  const mrSigner = cursor.bytes(32, "MRSIGNER");
  cursor.bytes(32, "reserved");
  const configId = cursor.bytes(64, "CONFIGID");
  const isvProdId = cursor.u16("ISVPRODID");
  const isvSvn = cursor.u16("ISVSVN");
  const configSvn = cursor.u16("CONFIGSVN");
  cursor.bytes(42, "reserved");
  const isvFamilyId = cursor.bytes(16, "ISVFAMILYID");
  return {
    cpuSvn,
    miscSelect,
    isvExtProdId,
    attributes,
    mrEnclave,
    mrSigner,
    configId,
    isvProdId,
    isvSvn,
    configSvn,
    isvFamilyId,
    reportData: cursor.bytes(64, "REPORTDATA"),
  };
}
