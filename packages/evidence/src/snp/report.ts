// AMD SEV-SNP attestation reports, versions 2 to 5 (SEV-SNP firmware ABI, section on MSG_REPORT_RSP): 1184 bytes, little-endian.
// What a version leaves reserved must be zero: a later meaning would go unjudged.
import { concat } from "@holdfast/core";
import { ByteCursor, exactly } from "../binary/cursor.ts";
import { malformed } from "../errors.ts";

/** Length of a report. */
export const SNP_REPORT_LENGTH = 0x4a0;
const SIGNED_LENGTH = 0x2a0;
const VERSIONS: ReadonlySet<number> = new Set([2, 3, 4, 5]);
const HALF = 72;
const COORDINATE = 48;

/** A firmware version. */
export interface SnpFirmware {
  readonly build: number;
  readonly minor: number;
  readonly major: number;
}

/** A report, read but not verified. */
export interface SnpReport {
  readonly version: number;
  readonly guestSvn: number;
  readonly policy: bigint;
  readonly familyId: Uint8Array;
  readonly imageId: Uint8Array;
  readonly vmpl: number;
  readonly signatureAlgorithm: number;
  readonly platformInfo: bigint;
  /** Bit 0 author key, bit 1 chip key masked, bits 2 to 4 which key signed. */
  readonly keyInfo: number;
  readonly reportData: Uint8Array;
  readonly measurement: Uint8Array;
  readonly hostData: Uint8Array;
  readonly idKeyDigest: Uint8Array;
  readonly authorKeyDigest: Uint8Array;
  readonly reportId: Uint8Array;
  readonly reportIdMa: Uint8Array;
  /** TCB versions as they stand; their layout depends on the product. */
  readonly currentTcb: Uint8Array;
  readonly reportedTcb: Uint8Array;
  readonly committedTcb: Uint8Array;
  readonly launchTcb: Uint8Array;
  /** Since version 3. */
  readonly cpuid?: { readonly family: number; readonly model: number; readonly stepping: number };
  readonly chipId: Uint8Array;
  readonly current: SnpFirmware;
  readonly committed: SnpFirmware;
  /** Since version 5: mitigations that were in force. */
  readonly launchMitigations?: bigint;
  readonly currentMitigations?: bigint;
  /** What the signature is over. */
  readonly signedBytes: Uint8Array;
  /** r||s, big-endian, 96 bytes. */
  readonly signature: Uint8Array;
}

/**
 * Reads a report.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function parseSnpReport(input: Uint8Array): SnpReport {
  const cursor = new ByteCursor(
    exactly(input, SNP_REPORT_LENGTH, "SNP report"),
    "little",
    "SNP report",
  );
  const version = cursor.u32("version");
  if (!VERSIONS.has(version)) throw malformed(`SNP report: version ${version}, 2 to 5 expected`);
  const head = {
    version,
    guestSvn: cursor.u32("guest SVN"),
    policy: cursor.u64("policy"),
    familyId: cursor.bytes(16, "family id"),
    imageId: cursor.bytes(16, "image id"),
    vmpl: cursor.u32("VMPL"),
    signatureAlgorithm: cursor.u32("signature algorithm"),
    currentTcb: cursor.bytes(8, "current TCB"),
    platformInfo: cursor.u64("platform info"),
    keyInfo: cursor.u32("key info"),
  };
  cursor.zeros(4, "reserved field after key info");
  const identities = {
    reportData: cursor.bytes(64, "report data"),
    measurement: cursor.bytes(48, "measurement"),
    hostData: cursor.bytes(32, "host data"),
    idKeyDigest: cursor.bytes(48, "id key digest"),
    authorKeyDigest: cursor.bytes(48, "author key digest"),
    reportId: cursor.bytes(32, "report id"),
    reportIdMa: cursor.bytes(32, "report id of the migration agent"),
    reportedTcb: cursor.bytes(8, "reported TCB"),
  };
  const cpuid = readCpuid(cursor, version);
  cursor.zeros(21, "reserved field after CPUID");
  const tail = {
    chipId: cursor.bytes(64, "chip id"),
    committedTcb: cursor.bytes(8, "committed TCB"),
    current: readFirmware(cursor),
    committed: readFirmware(cursor),
    launchTcb: cursor.bytes(8, "launch TCB"),
  };
  const mitigations = readMitigations(cursor, version);
  cursor.zeros(SIGNED_LENGTH - cursor.at, "reserved field before the signature");
  const signature = concat(readHalf(cursor, "r"), readHalf(cursor, "s"));
  cursor.zeros(cursor.left, "reserved field after the signature");
  return {
    ...head,
    ...identities,
    ...cpuid,
    ...tail,
    ...mitigations,
    signedBytes: input.subarray(0, SIGNED_LENGTH),
    signature,
  };
}

function readCpuid(cursor: ByteCursor, version: number): Pick<SnpReport, "cpuid"> {
  if (version < 3) {
    cursor.zeros(3, "reserved field for CPUID");
    return {};
  }
  return {
    cpuid: {
      family: cursor.u8("CPUID family"),
      model: cursor.u8("CPUID model"),
      stepping: cursor.u8("CPUID stepping"),
    },
  };
}

function readFirmware(cursor: ByteCursor): SnpFirmware {
  const firmware = {
    build: cursor.u8("build"),
    minor: cursor.u8("minor"),
    major: cursor.u8("major"),
  };
  cursor.zeros(1, "reserved field after a firmware version");
  return firmware;
}

function readMitigations(
  cursor: ByteCursor,
  version: number,
): Pick<SnpReport, "launchMitigations" | "currentMitigations"> {
  if (version < 5) return {};
  return {
    launchMitigations: cursor.u64("launch mitigations"),
    currentMitigations: cursor.u64("current mitigations"),
  };
}

/** One half of the signature: little-endian, 72 bytes, of which the upper 24 are zero. */
function readHalf(cursor: ByteCursor, what: string): Uint8Array {
  const bytes = cursor.bytes(COORDINATE, `signature ${what}`);
  cursor.zeros(HALF - COORDINATE, `padding of signature ${what}`);
  return bytes.toReversed();
}
