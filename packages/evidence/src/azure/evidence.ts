// Evidence of Azure's confidential virtual machines in JSON, in the versions in use: numbers in lists (0), then text in
// hexadecimal and base64url (1 and 2).
import {
  type Certificate,
  fromBase64Url,
  fromPem,
  HoldfastError,
  parseCertificate,
} from "@holdfast/core";
import { malformed } from "../errors.ts";
import { asObject, type JsonObject } from "../json/members.ts";
import { bytesOf, listedPcrs, type TpmEvidence } from "../tpm/evidence.ts";
import { bareRsaSignature } from "../tpm/signature.ts";

/** Evidence, read but not verified. */
export interface AzureEvidence {
  readonly version: number;
  readonly hclReport: Uint8Array;
  readonly tpm: TpmEvidence;
  /** Of a TDX machine. */
  readonly tdQuote?: Uint8Array;
  /** Certificates that came with it. */
  readonly certificates: readonly Certificate[];
}

/** Whether a JSON object is evidence of Azure. */
export function isAzureJson(whole: JsonObject): boolean {
  const object = unwrapped(whole);
  return (
    object["hcl_report"] !== undefined ||
    (object["report"] !== undefined && object["quote"] !== undefined)
  );
}

/**
 * Reads evidence.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function parseAzureJson(whole: JsonObject): AzureEvidence {
  const object = unwrapped(whole);
  const version = object["version"] ?? 0;
  if (version !== 0 && version !== 1 && version !== 2) throw malformed("Azure evidence: version");
  const quote = asObject(object["tpm_quote"] ?? object["quote"], "tpm_quote");
  const tdQuote = object["td_quote"];
  const pcrs = quote["pcrs"];
  if (!Array.isArray(pcrs)) throw malformed("tpm_quote.pcrs: list expected");
  return {
    version,
    hclReport: blob(object["hcl_report"] ?? object["report"]),
    tpm: {
      quote: bytesOf(quote["message"]),
      signature: bareRsaSignature(bytesOf(quote["signature"])),
      pcrs: listedPcrs(pcrs),
    },
    ...(tdQuote === undefined ? {} : { tdQuote: blob(tdQuote) }),
    certificates: certificatesOf(object["vcek"]),
  };
}

/** Some services put the evidence beside the name of its platform. */
function unwrapped(whole: JsonObject): JsonObject {
  const { evidence } = whole;
  const inner = typeof evidence === "object" && evidence !== null && !Array.isArray(evidence);
  return inner ? (evidence as JsonObject) : whole;
}

function certificatesOf(vcek: unknown): Certificate[] {
  if (vcek === undefined || vcek === null) return [];
  try {
    if (typeof vcek === "string" && vcek.includes("-----BEGIN ")) {
      return fromPem("CERTIFICATE", vcek).map((der) => parseCertificate(der));
    }
    return [parseCertificate(blob(vcek))];
  } catch (cause) {
    if (!(cause instanceof HoldfastError)) throw cause;
    throw malformed(`vcek: ${cause.message}`, cause);
  }
}

/** Bytes as base64url text or as a list of numbers. */
function blob(value: unknown): Uint8Array {
  if (typeof value !== "string") return bytesOf(value);
  if (value.length > 64 * 1024) throw malformed("text is too long");
  try {
    return fromBase64Url(value.replace(/=+$/, ""));
  } catch (cause) {
    if (!(cause instanceof HoldfastError)) throw cause;
    throw malformed("base64url expected", cause);
  }
}
