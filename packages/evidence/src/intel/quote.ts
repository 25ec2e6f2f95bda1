// Quotes of Intel SGX and TDX, versions 3 to 5 (Intel SGX ECDSA QuoteGeneration reference, appendix A; TDX DCAP quote
// library, appendix A). Little-endian. The length of every part must be exactly what is said before it.
import { ByteCursor } from "../binary/cursor.ts";
import { EvidenceError, malformed } from "../errors.ts";
import { type EnclaveReport, parseEnclaveReport, SGX_REPORT_LENGTH } from "./enclave-report.ts";
import {
  parseTdReport,
  TD_REPORT_10_LENGTH,
  TD_REPORT_15_LENGTH,
  type TdReport,
} from "./td-report.ts";

/** The longest quote read, in bytes; genuine ones are padded up to 8000. */
export const MAXIMUM_QUOTE: number = 64 * 1024;

/** What a quote is about. */
export type QuoteBody =
  | { readonly kind: "sgx"; readonly report: EnclaveReport }
  | { readonly kind: "tdx"; readonly report: TdReport };

/** Data that leads to the certificate of the platform. */
export interface CertificationData {
  readonly type: number;
  readonly data: Uint8Array;
}

/** A quote, read but not verified. */
export interface Quote {
  readonly version: 3 | 4 | 5;
  readonly vendorId: Uint8Array;
  readonly userData: Uint8Array;
  readonly body: QuoteBody;
  /** Header, descriptor and body: what the quote's signature is over. */
  readonly signedBytes: Uint8Array;
  /** r||s. */
  readonly signature: Uint8Array;
  /** x||y of the attestation key, P-256. */
  readonly attestationKey: Uint8Array;
  readonly qeReport: EnclaveReport;
  readonly qeReportBytes: Uint8Array;
  readonly qeReportSignature: Uint8Array;
  readonly qeAuthData: Uint8Array;
  readonly certification: CertificationData;
  /** What follows the signed structure: padding, or something that does not belong there. */
  readonly trailing: Uint8Array;
}

const ECDSA_P256 = 2;
const TEE_SGX = 0;
const TEE_TDX = 0x81;
const HEADER = 48;
const QE_REPORT_CERTIFICATION = 6;
const WHERE = "quote";

/**
 * Reads a quote.
 * @throws EvidenceError EVIDENCE_MALFORMED, EVIDENCE_TOO_LARGE
 */
export function parseQuote(input: Uint8Array): Quote {
  if (input.length > MAXIMUM_QUOTE) {
    throw new EvidenceError(
      "EVIDENCE_TOO_LARGE",
      `quote of ${input.length} bytes, at most ${MAXIMUM_QUOTE} expected`,
    );
  }
  const cursor = new ByteCursor(input, "little", WHERE);
  const version = cursor.u16("version");
  if (version !== 3 && version !== 4 && version !== 5) {
    throw malformed(`quote: version ${version}, 3 to 5 expected`);
  }
  const keyType = cursor.u16("attestation key type");
  if (keyType !== ECDSA_P256) throw malformed(`quote: attestation key type ${keyType}, 2 expected`);
  const tee = cursor.u32("TEE type");
  cursor.bytes(4, "security versions");
  const vendorId = cursor.bytes(16, "vendor id");
  const userData = cursor.bytes(20, "user data");
  const body = parseBody(cursor, version, tee);
  const signedBytes = input.subarray(0, cursor.at);
  const length = cursor.u32("length of the signature data");
  const signature = parseSignature(cursor.bytes(length, "signature data"), version);
  return { version, vendorId, userData, body, signedBytes, ...signature, trailing: cursor.rest() };
}

/** Length of the header before the body. */
export const QUOTE_HEADER_LENGTH: number = HEADER;

function parseBody(cursor: ByteCursor, version: 3 | 4 | 5, tee: number): QuoteBody {
  if (version === 5) return parseDescribedBody(cursor, tee);
  if (tee === TEE_SGX) return { kind: "sgx", report: enclave(cursor) };
  if (tee === TEE_TDX && version === 4) {
    return { kind: "tdx", report: parseTdReport(cursor.bytes(TD_REPORT_10_LENGTH, "TD report")) };
  }
  throw malformed(`quote: TEE type ${tee.toString(16)}h in version ${version}`);
}

/** Version 5 says what body follows and how long it is; both must agree with the header. */
function parseDescribedBody(cursor: ByteCursor, tee: number): QuoteBody {
  const type = cursor.u16("body type");
  const size = cursor.u32("body size");
  const known = BODIES.get(type);
  if (known === undefined) throw malformed(`quote: body type ${type}, 1 to 3 expected`);
  if (known.tee !== tee || known.size !== size) {
    throw malformed(
      `quote: body type ${type} of ${size} bytes in a quote of TEE type ${tee.toString(16)}h`,
    );
  }
  if (tee === TEE_SGX) return { kind: "sgx", report: enclave(cursor) };
  return { kind: "tdx", report: parseTdReport(cursor.bytes(size, "TD report")) };
}

const BODIES: ReadonlyMap<number, { readonly tee: number; readonly size: number }> = new Map([
  [1, { tee: TEE_SGX, size: SGX_REPORT_LENGTH }],
  [2, { tee: TEE_TDX, size: TD_REPORT_10_LENGTH }],
  [3, { tee: TEE_TDX, size: TD_REPORT_15_LENGTH }],
]);

type SignatureData = Pick<
  Quote,
  | "signature"
  | "attestationKey"
  | "qeReport"
  | "qeReportBytes"
  | "qeReportSignature"
  | "qeAuthData"
  | "certification"
>;

function parseSignature(data: Uint8Array, version: 3 | 4 | 5): SignatureData {
  const cursor = new ByteCursor(data, "little", "signature data");
  const signature = cursor.bytes(64, "quote signature");
  const attestationKey = cursor.bytes(64, "attestation key");
  const certified = version === 3 ? cursor : wrapped(cursor);
  const qeReportBytes = certified.bytes(SGX_REPORT_LENGTH, "QE report");
  const qeReportSignature = certified.bytes(64, "QE report signature");
  const qeAuthData = certified.bytes(certified.u16("length of the QE auth data"), "QE auth data");
  const certification = certificationData(certified);
  certified.end();
  cursor.end();
  return {
    signature,
    attestationKey,
    qeReport: parseEnclaveReport(qeReportBytes),
    qeReportBytes,
    qeReportSignature,
    qeAuthData,
    certification,
  };
}

/** Since version 4 the report of the quoting enclave stands inside certification data of its own type. */
function wrapped(cursor: ByteCursor): ByteCursor {
  const { type, data } = certificationData(cursor);
  if (type !== QE_REPORT_CERTIFICATION) {
    throw malformed(`quote: certification data of type ${type}, 6 expected`);
  }
  return new ByteCursor(data, "little", "QE report certification data");
}

function certificationData(cursor: ByteCursor): CertificationData {
  const type = cursor.u16("certification data type");
  const length = cursor.u32("length of the certification data");
  return { type, data: cursor.bytes(length, "certification data") };
}

function enclave(cursor: ByteCursor): EnclaveReport {
  return parseEnclaveReport(cursor.bytes(SGX_REPORT_LENGTH, "enclave report"));
}
