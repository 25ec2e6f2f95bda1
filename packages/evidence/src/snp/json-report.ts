// SNP evidence in JSON, as attesters of Confidential Containers send it: the report field by field, and a certificate
// table. The bytes that were signed are put together again; one wrong byte and the signature does not hold.
import {
  type Certificate,
  concat,
  fromBase64Url,
  HoldfastError,
  parseCertificate,
} from "@holdfast/core";
import { malformed } from "../errors.ts";
import { asObject, type JsonObject, numberOf } from "../json/members.ts";
import type { SnpEvidence } from "./evidence.ts";
import { SNP_REPORT_LENGTH } from "./report.ts";

const MAXIMUM_CERTIFICATES = 16;

/** Whether a JSON object is SNP evidence. */
export function isSnpJson(whole: JsonObject): boolean {
  const { attestation_report: report } = unwrapped(whole);
  if (typeof report === "string") return true;
  // Other platforms call their reports so too.
  return isObject(report) && report["reported_tcb"] !== undefined;
}

/**
 * Reads evidence.
 * @throws EvidenceError EVIDENCE_MALFORMED, CertificateError
 */
export function parseSnpJson(whole: JsonObject): SnpEvidence {
  const object = unwrapped(whole);
  const { attestation_report: report } = object;
  return {
    report:
      typeof report === "string"
        ? base64Of(report, "attestation_report")
        : encodeReport(asObject(report, "attestation_report")),
    certificates: certificatesOf(object["cert_chain"] ?? []),
  };
}

/** A table of entries, or an object of certificates by name. */
function certificatesOf(chain: unknown): Certificate[] {
  if (Array.isArray(chain) && chain.length <= MAXIMUM_CERTIFICATES) {
    return chain.map((entry) =>
      parseCertificate(octets(asObject(entry, "cert_chain"), "data", undefined)),
    );
  }
  const named = Object.values(asObject(chain, "cert_chain")).filter((each) => each !== null);
  if (named.length > MAXIMUM_CERTIFICATES) throw malformed("cert_chain: too many certificates");
  return named.map((text) => parseCertificate(base64Of(text, "cert_chain")));
}

/** Some services put the evidence beside the name of its platform. */
function unwrapped(whole: JsonObject): JsonObject {
  return isObject(whole["evidence"]) ? whole["evidence"] : whole;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Base64, of either alphabet, padded or not. */
function base64Of(text: unknown, where: string): Uint8Array {
  if (typeof text !== "string" || text.length > 16_384) throw malformed(`${where}: text expected`);
  try {
    return fromBase64Url(text.replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_"));
  } catch (cause) {
    if (!(cause instanceof HoldfastError)) throw cause;
    throw malformed(`${where}: base64 expected`, cause);
  }
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
