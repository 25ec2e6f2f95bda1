// Writes quotes of SGX and TDX part by part.
import { concat } from "@holdfast/core";

/** Kinds of quote: body and version. */
export type QuoteKind = "sgx3" | "tdx4" | "tdx5";

/** Fields that tests set; the rest is zero. */
export interface QuoteFields {
  readonly vendorId: Uint8Array;
  readonly keyType: number;
  readonly reportData: Uint8Array;
  /** Of the enclave (its first eight bytes) or of the TD. */
  readonly attributes: Uint8Array;
  readonly teeTcbSvn: Uint8Array;
  readonly teeTcbSvn2: Uint8Array;
  readonly mrSignerSeam: Uint8Array;
  readonly seamAttributes: Uint8Array;
  readonly mrServiceTd: Uint8Array;
  /** MRTD, or the first 32 bytes of it MRENCLAVE. */
  readonly measurement: Uint8Array;
  readonly qeIsvSvn: number;
  readonly qeIsvProdId: number;
  readonly qeMrSigner: Uint8Array;
  readonly qeAttributes: Uint8Array;
  readonly qeMiscSelect: Uint8Array;
  readonly qeAuthData: Uint8Array;
  /** The hash over attestation key and auth data unless given. */
  readonly qeReportData?: Uint8Array;
}

/** What a whole quote is made of. */
export interface QuoteParts {
  readonly signed: Uint8Array;
  readonly fields: QuoteFields;
  readonly attestationKey: Uint8Array;
  readonly qeReportData: Uint8Array;
  readonly signQuote: (bytes: Uint8Array) => Uint8Array;
  readonly signQe: (bytes: Uint8Array) => Uint8Array;
  readonly certification: { readonly type: number; readonly data: Uint8Array };
}

/** Header, descriptor and body. */
export function encodeBody(kind: QuoteKind, fields: QuoteFields): Uint8Array {
  const header = concat(
    little(2, Number(kind.at(-1))),
    little(2, fields.keyType),
    little(4, kind === "sgx3" ? 0 : 0x81),
    new Uint8Array(4),
    fields.vendorId,
    new Uint8Array(20),
  );
  if (kind === "sgx3") {
    const report = new Uint8Array(384);
    report.set(fields.attributes, 48);
    report.set(fields.measurement.subarray(0, 32), 64);
    report.set(fields.reportData, 320);
    return concat(header, report);
  }
  const td = new Uint8Array(kind === "tdx4" ? 584 : 648);
  td.set(fields.teeTcbSvn, 0);
  td.set(fields.mrSignerSeam, 64);
  td.set(fields.seamAttributes, 112);
  td.set(fields.attributes, 120);
  td.set(fields.measurement, 136);
  td.set(fields.reportData, 520);
  if (kind === "tdx4") return concat(header, td);
  td.set(fields.teeTcbSvn2, 584);
  td.set(fields.mrServiceTd, 600);
  return concat(header, little(2, 3), little(4, 648), td);
}

/** A whole quote. */
export function encodeQuote(kind: QuoteKind, parts: QuoteParts): Uint8Array {
  const { fields, certification } = parts;
  const qe = new Uint8Array(384);
  qe.set(fields.qeMiscSelect, 16);
  qe.set(fields.qeAttributes, 48);
  qe.set(fields.qeMrSigner, 128);
  qe.set(little(2, fields.qeIsvProdId), 256);
  qe.set(little(2, fields.qeIsvSvn), 258);
  qe.set(parts.qeReportData, 320);
  const certified = concat(
    qe,
    parts.signQe(qe),
    little(2, fields.qeAuthData.length),
    fields.qeAuthData,
    certificationData(certification.type, certification.data),
  );
  const data = concat(
    parts.signQuote(parts.signed),
    parts.attestationKey,
    kind === "sgx3" ? certified : certificationData(6, certified),
  );
  return concat(parts.signed, little(4, data.length), data);
}

function certificationData(type: number, data: Uint8Array): Uint8Array {
  return concat(little(2, type), little(4, data.length), data);
}

function little(length: number, value: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (value / 256 ** index) & 255);
}
