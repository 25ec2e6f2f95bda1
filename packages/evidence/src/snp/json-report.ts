// SNP evidence in JSON, as attesters of Confidential Containers send it: the report field by field, and a certificate
// table. The bytes that were signed are put together again; one wrong byte and the signature does not hold.
import { type Certificate, concat, parseCertificate } from "@holdfast/core";
import { malformed } from "../errors.ts";
import { asObject, type JsonObject, numberOf } from "../json/members.ts";
import { SNP_REPORT_LENGTH } from "./report.ts";

/** Report and certificates. */
export interface SnpJsonEvidence {
  readonly report: Uint8Array;
  readonly certificates: readonly Certificate[];
}

/** Whether a JSON object is SNP evidence. */
export function isSnpJson(object: JsonObject): boolean {
  return object["attestation_report"] !== undefined;
}

/**
 * Reads evidence.
 * @throws EvidenceError EVIDENCE_MALFORMED, CertificateError
 */
export function parseSnpJson(object: JsonObject): SnpJsonEvidence {
  const report = asObject(object["attestation_report"], "attestation_report");
  const table = object["cert_chain"] ?? [];
  if (!Array.isArray(table) || table.length > 16) throw malformed("cert_chain: list expected");
  return {
    report: encodeReport(report),
    certificates: table.map((entry) =>
      parseCertificate(octets(asObject(entry, "cert_chain"), "data", undefined)),
    ),
  };
}

function encodeReport(fields: JsonObject): Uint8Array {
  const version = numberOf(fields, "version", 255);
  const field = (name: string, length: number): Uint8Array => octets(fields, name, length);
  const turin = version >= 3 && numberOf(fields, "cpuid_fam_id", 255) === 0x1a;
  const tcb = (name: string): Uint8Array => encodeTcb(asObject(fields[name], name), turin);
  const signature = asObject(fields["signature"], "signature");
  const body = concat(
    little(4, version),
    little(4, numberOf(fields, "guest_svn", 2 ** 32 - 1)),
    little(8, numberOf(fields, "policy", Number.MAX_SAFE_INTEGER)),
    field("family_id", 16),
    field("image_id", 16),
    little(4, numberOf(fields, "vmpl", 2 ** 32 - 1)),
    little(4, numberOf(fields, "sig_algo", 2 ** 32 - 1)),
    tcb("current_tcb"),
    little(8, numberOf(fields, "plat_info", Number.MAX_SAFE_INTEGER)),
    little(4, numberOf(fields, "key_info", 2 ** 32 - 1)),
    new Uint8Array(4),
    field("report_data", 64),
    field("measurement", 48),
    field("host_data", 32),
    field("id_key_digest", 48),
    field("author_key_digest", 48),
    field("report_id", 32),
    field("report_id_ma", 32),
    tcb("reported_tcb"),
    encodeCpuid(fields, version),
    new Uint8Array(21),
    field("chip_id", 64),
    tcb("committed_tcb"),
    encodeFirmware(asObject(fields["current"], "current")),
    encodeFirmware(asObject(fields["committed"], "committed")),
    tcb("launch_tcb"),
    ...(version >= 5
      ? [mitigation(fields, "launch_mit_vector"), mitigation(fields, "current_mit_vector")]
      : []),
  );
  const halves = concat(octets(signature, "r", 72), octets(signature, "s", 72));
  const report = new Uint8Array(SNP_REPORT_LENGTH);
  report.set(body);
  report.set(halves, 0x2a0);
  return report;
}

function encodeTcb(tcb: JsonObject, turin: boolean): Uint8Array {
  const [bootloader, tee, snp, microcode] = ["bootloader", "tee", "snp", "microcode"].map((name) =>
    numberOf(tcb, name, 255),
  );
  const parts = [bootloader ?? 0, tee ?? 0, snp ?? 0, microcode ?? 0] as const;
  if (turin) {
    const fmc = numberOf(tcb, "fmc", 255);
    return Uint8Array.of(fmc, parts[0], parts[1], parts[2], 0, 0, 0, parts[3]);
  }
  return Uint8Array.of(parts[0], parts[1], 0, 0, 0, 0, parts[2], parts[3]);
}

function encodeCpuid(fields: JsonObject, version: number): Uint8Array {
  if (version < 3) return new Uint8Array(3);
  return Uint8Array.from(
    ["cpuid_fam_id", "cpuid_mod_id", "cpuid_step"].map((name) => numberOf(fields, name, 255)),
  );
}

function encodeFirmware(firmware: JsonObject): Uint8Array {
  const parts = ["build", "minor", "major"].map((name) => numberOf(firmware, name, 255));
  return Uint8Array.of(...parts, 0);
}

function mitigation(fields: JsonObject, name: string): Uint8Array {
  const value = fields[name];
  if (value === undefined || value === null) return new Uint8Array(8);
  return little(8, numberOf(fields, name, Number.MAX_SAFE_INTEGER));
}

/** A member that is a list of bytes, of a length when one is given. */
function octets(object: JsonObject, name: string, length: number | undefined): Uint8Array {
  const value: unknown = object[name];
  if (!Array.isArray(value) || value.length > 8192)
    throw malformed(`${name}: list of bytes expected`);
  const isByte = (each: unknown): each is number =>
    typeof each === "number" && Number.isInteger(each) && each >= 0 && each <= 255;
  if (!value.every(isByte)) throw malformed(`${name}: list of bytes expected`);
  if (length !== undefined && value.length !== length) {
    throw malformed(`${name}: ${value.length} bytes, ${length} expected`);
  }
  return Uint8Array.from(value);
}

function little(length: number, value: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => Math.floor(value / 256 ** index) % 256);
}
