// Tells what kind of evidence bytes are, by their content alone. Text forms are seen through: hexadecimal, base64, JSON,
// PEM. What is recognised is not judged: anybody can write bytes that look like evidence.
import {
  type Extensions,
  fromBase64,
  fromBase64Url,
  fromHex,
  fromPem,
  HoldfastError,
  parseCertificate,
  parseCertificationRequest,
  toText,
} from "@holdfast/core";
import { isPsa } from "./arm/psa.ts";
import { isAzureJson } from "./azure/evidence.ts";
import { isEarToken } from "./ear/token.ts";
import { EvidenceError } from "./errors.ts";
import { isEventLog } from "./eventlog/event-log.ts";
import { type JsonObject, jsonObject } from "./json/members.ts";
import { DEVICE_LIST, isGpuJson } from "./nvidia/json-evidence.ts";
import { isGpuReport } from "./nvidia/report.ts";
import { TAGGED_EVIDENCE } from "./ratls/certificate.ts";
import { ENARX_SGX, ENARX_SNP } from "./ratls/enarx-request.ts";
import { isCertificateTable } from "./snp/evidence.ts";
import { isSnpJson } from "./snp/json-report.ts";
import { SNP_REPORT_LENGTH } from "./snp/report.ts";
import { TPM_MAGIC } from "./tpm/attest.ts";
import { isTpmJson } from "./tpm/evidence.ts";

/** Kinds of evidence, as they are called on the command line. */
export const EVIDENCE_TYPES = [
  "nitro",
  "sev-snp",
  "sgx",
  "tdx",
  "azure",
  "tpm",
  "psa",
  "cca",
  "nvidia-gpu",
  "event-log",
  "ra-tls",
  "enarx-csr",
  "ear",
] as const;

/** A kind of evidence. */
export type EvidenceType = (typeof EVIDENCE_TYPES)[number];

/** Recognised evidence: binary, or an object of a JSON form. */
export type Recognised =
  | { readonly type: EvidenceType; readonly form: "binary"; readonly bytes: Uint8Array }
  | { readonly type: EvidenceType; readonly form: "json"; readonly object: JsonObject };

/** The longest evidence looked at, in bytes. */
export const MAXIMUM_EVIDENCE: number = 1024 * 1024;

/**
 * Recognises evidence.
 * @throws EvidenceError EVIDENCE_UNKNOWN, EVIDENCE_TOO_LARGE
 */
export function recogniseEvidence(input: Uint8Array): Recognised {
  if (input.length > MAXIMUM_EVIDENCE) {
    throw new EvidenceError(
      "EVIDENCE_TOO_LARGE",
      `evidence of ${input.length} bytes, at most ${MAXIMUM_EVIDENCE} expected`,
    );
  }
  const found = recogniseBinary(input) ?? recogniseText(input);
  if (found === undefined) {
    throw new EvidenceError(
      "EVIDENCE_UNKNOWN",
      `no kind of evidence known here (${EVIDENCE_TYPES.join(", ")})`,
    );
  }
  return found;
}

function recogniseBinary(bytes: Uint8Array): Recognised | undefined {
  const type = BINARY.find(([, matches]) => matches(bytes))?.[0];
  return type === undefined ? undefined : { type, form: "binary", bytes };
}

const BINARY: readonly (readonly [EvidenceType, (bytes: Uint8Array) => boolean])[] = [
  ["sgx", (bytes) => isQuote(bytes, "sgx")],
  ["tdx", (bytes) => isQuote(bytes, "tdx")],
  ["sev-snp", isSnp],
  ["tpm", (bytes) => view(bytes).getUint32(0) === TPM_MAGIC],
  ["nvidia-gpu", isGpuReport],
  ["event-log", isEventLog],
  ["ra-tls", (bytes) => extensionsOf(bytes, parseCertificate)?.has(TAGGED_EVIDENCE) ?? false],
  [
    "enarx-csr",
    (bytes) => {
      const extensions = extensionsOf(bytes, parseCertificationRequest);
      return extensions !== undefined && [ENARX_SGX, ENARX_SNP].some((oid) => extensions.has(oid));
    },
  ],
  ["cca", (bytes) => startsWith(bytes, 0, [0xd9, 0x01, 0x8f])],
  ["psa", isPsa],
  // COSE_Sign1, tagged or not, whose protected header says ES384 and nothing else.
  [
    "nitro",
    (bytes) => startsWith(bytes, bytes[0] === 0xd2 ? 1 : 0, [0x84, 0x44, 0xa1, 0x01, 0x38, 0x22]),
  ],
];

/** A report alone, or with a table of certificates behind it. */
function isSnp(bytes: Uint8Array): boolean {
  const behind = bytes.subarray(SNP_REPORT_LENGTH);
  const fits = bytes.length === SNP_REPORT_LENGTH || isCertificateTable(behind);
  return fits && startsWith(bytes, 1, [0, 0, 0]);
}

/** Extensions of something in DER that carries them. */
function extensionsOf(
  bytes: Uint8Array,
  parse: (der: Uint8Array) => { readonly extensions: Extensions },
): Extensions | undefined {
  if (bytes[0] !== 0x30) return undefined;
  try {
    return parse(bytes).extensions;
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return undefined;
  }
}

/** Version and TEE type in front, an ECDSA attestation key. The key type also tells a quote from an SNP report. */
function isQuote(bytes: Uint8Array, kind: "sgx" | "tdx"): boolean {
  const head = view(bytes);
  const version = head.getUint16(0, true);
  const tee = head.getUint32(4, true);
  const keyType = head.getUint16(2, true);
  if (version < 3 || version > 5 || (keyType !== 2 && keyType !== 3)) return false;
  return bytes.length > 48 && tee === (kind === "sgx" ? 0 : 0x81);
}

function recogniseText(bytes: Uint8Array): Recognised | undefined {
  const text = textOf(bytes)?.trim();
  if (text === undefined || text === "") return undefined;
  if (isEarToken(bytes)) return { type: "ear", form: "binary", bytes };
  if (text.startsWith("{")) return recogniseJson(text);
  // A list of devices; the name it has elsewhere makes it an object.
  if (text.startsWith("[")) return recogniseJson(`{"${DEVICE_LIST}":${text}}`);
  if (text.includes("-----BEGIN ")) return recognisePem(text);
  return recogniseEncoded(text);
}

/** Text in hexadecimal or base64, of binary evidence or of an object in JSON. */
function recogniseEncoded(text: string): Recognised | undefined {
  const bytes = decode(text.replaceAll(/\s+/g, "").replace(/^0x/i, ""));
  if (bytes === undefined) return undefined;
  const inner = bytes[0] === 0x7b ? textOf(bytes) : undefined;
  return recogniseBinary(bytes) ?? (inner === undefined ? undefined : recogniseJson(inner));
}

function recognisePem(text: string): Recognised | undefined {
  for (const label of ["CERTIFICATE", "CERTIFICATE REQUEST"]) {
    try {
      if (text.includes(`-----BEGIN ${label}-----`)) {
        return recogniseBinary(fromPem(label, text)[0] ?? new Uint8Array());
      }
    } catch (thrown) {
      if (!(thrown instanceof HoldfastError)) throw thrown;
    }
  }
  return undefined;
}

function recogniseJson(text: string): Recognised | undefined {
  let object: JsonObject;
  try {
    object = jsonObject(text);
  } catch (thrown) {
    if (!(thrown instanceof EvidenceError)) throw thrown;
    return undefined;
  }
  const type = JSON_FORMS.find(([, matches]) => matches(object))?.[0];
  return type === undefined ? recogniseWrapped(object) : { type, form: "json", object };
}

/** Services put binary evidence as text into an object of their own. */
function recogniseWrapped(object: JsonObject): Recognised | undefined {
  for (const name of WRAPPED) {
    const text = object[name];
    // Shorter each time, so that an end is reached.
    const found = typeof text === "string" ? recogniseEncoded(text) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

const WRAPPED: readonly string[] = [
  "quote",
  "evidence",
  "report",
  "token",
  "attestation_document",
  "document",
];

const JSON_FORMS: readonly (readonly [EvidenceType, (object: JsonObject) => boolean])[] = [
  ["azure", isAzureJson],
  ["tpm", isTpmJson],
  ["sev-snp", isSnpJson],
  ["nvidia-gpu", isGpuJson],
];

function decode(text: string): Uint8Array | undefined {
  for (const read of [fromHex, fromBase64, fromBase64Url]) {
    try {
      return read(text);
    } catch (thrown) {
      if (!(thrown instanceof HoldfastError)) throw thrown;
      // Another encoding, or none.
    }
  }
  return undefined;
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return toText(bytes);
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return undefined;
  }
}

function startsWith(bytes: Uint8Array, at: number, wanted: readonly number[]): boolean {
  return wanted.every((byte, index) => bytes[at + index] === byte);
}

/** The first eight bytes; short input reads as zeros. */
function view(bytes: Uint8Array): DataView {
  const head = new Uint8Array(8);
  head.set(bytes.subarray(0, 8));
  return new DataView(head.buffer);
}
