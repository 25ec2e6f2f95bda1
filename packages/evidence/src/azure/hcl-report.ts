// The report that Azure's paravisor leaves in the virtual TPM: the hardware's report, and claims in JSON whose hash the
// hardware's report carries (HCL report, "HCLA").
import { toText } from "@holdfast/core";
import { ByteCursor } from "../binary/cursor.ts";
import { keyOfJwk, type TrustedKey } from "../endorsements/trusted-key.ts";
import { malformed } from "../errors.ts";
import { asObject, itemsOf, type JsonObject, jsonObject, textOf } from "../json/members.ts";

/** What stands behind a report. */
export type HclKind = "snp" | "tdx";

/** A report, read but not verified. */
export interface HclReport {
  readonly kind: HclKind;
  /** 1184 bytes: an SNP report, or a TDREPORT with zeros after it. */
  readonly hardwareReport: Uint8Array;
  /** The claims as they stand: what the hash is over. */
  readonly claimsBytes: Uint8Array;
  readonly attestationKey: TrustedKey;
  readonly vmUniqueId: string;
  readonly secureBoot: boolean;
  /** Hexadecimal. */
  readonly userData: string;
}

const MAGIC = "HCLA";
const VERSIONS: ReadonlySet<number> = new Set([1, 2]);
const HARDWARE_REPORT = 1184;
const KINDS: Readonly<Record<number, HclKind>> = { 2: "snp", 4: "tdx" };
const SHA256 = 1;
const MAXIMUM_CLAIMS = 16 * 1024;
const AK_NAME = "HCLAkPub";

/**
 * Reads a report.
 * @throws EvidenceError EVIDENCE_MALFORMED, EncodingError for keys that can't be read
 */
export function parseHclReport(input: Uint8Array): HclReport {
  const cursor = new ByteCursor(input, "little", "HCL report");
  if (toText(cursor.bytes(4, "magic")) !== MAGIC)
    throw malformed("HCL report: magic HCLA expected");
  const version = cursor.u32("version");
  if (!VERSIONS.has(version)) throw malformed(`HCL report: version ${version}`);
  cursor.bytes(24, "sizes and status");
  const hardwareReport = cursor.bytes(HARDWARE_REPORT, "hardware report");
  cursor.u32("data size");
  cursor.u32("data version");
  const type = cursor.u32("report type");
  const kind = KINDS[type];
  if (kind === undefined) throw malformed(`HCL report: report type ${type}, 2 or 4 expected`);
  const hash = cursor.u32("hash type");
  if (hash !== SHA256) throw malformed(`HCL report: hash type ${hash}, 1 (SHA-256) expected`);
  const length = cursor.u32("length of the claims");
  if (length > MAXIMUM_CLAIMS) throw malformed(`HCL report: claims of ${length} bytes`);
  const claimsBytes = cursor.bytes(length, "claims");
  cursor.zeros(cursor.left, "padding");
  return { kind, hardwareReport, claimsBytes, ...parseClaims(claimsBytes) };
}

/** Key and configuration out of the very bytes that are hashed. */
function parseClaims(
  bytes: Uint8Array,
): Pick<HclReport, "attestationKey" | "vmUniqueId" | "secureBoot" | "userData"> {
  const claims = jsonObject(toText(bytes));
  const keys = itemsOf(claims, "keys").map((key) => asObject(key, "keys"));
  const named = keys.filter((key) => key["kid"] === AK_NAME);
  const [key, ...more] = named;
  if (key === undefined || more.length > 0) {
    throw malformed(`HCL report: ${named.length} attestation keys, one expected`);
  }
  const configuration: JsonObject = asObject(claims["vm-configuration"], "vm-configuration");
  const userData = claims["user-data"];
  return {
    attestationKey: keyOfJwk(key),
    vmUniqueId: textOf(configuration, "vmUniqueId"),
    secureBoot: configuration["secure-boot"] === true,
    userData: typeof userData === "string" ? userData.toLowerCase() : "",
  };
}
