// SNP evidence in its forms: the report alone, the report with the table of certificates that the host filled (AMD, SEV-ES
// guest-hypervisor communication block, extended guest request), and JSON.
import { type Certificate, parseCertificate } from "@holdfast/core";
import { ByteCursor } from "../binary/cursor.ts";
import { malformed } from "../errors.ts";
import { guidText } from "../launch/guid.ts";
import type { Recognised } from "../recognise.ts";
import { parseSnpJson } from "./json-report.ts";
import { SNP_REPORT_LENGTH } from "./report.ts";

/** Report and certificates. */
export interface SnpEvidence {
  readonly report: Uint8Array;
  readonly certificates: readonly Certificate[];
}

/** Length of an entry: GUID, offset, length. */
const ENTRY = 24;
const MAXIMUM_ENTRIES = 16;
const MAXIMUM_TABLE = 64 * 1024;
/** Entries with certificates: VCEK, VLEK, ASK, ARK. Others are the host's affair. */
const CERTIFICATES: ReadonlySet<string> = new Set([
  "63da758d-e664-4564-adc5-f4b93be8accd",
  "a8074bc2-a25a-483e-aae6-39c045a0b8a1",
  "4ab7b379-bbac-4fe4-a02f-05aef327c782",
  "c0b406a4-a803-4952-9743-3fb6014cd0ae",
]);
const END = "00000000-0000-0000-0000-000000000000";

/** Whether what follows a report looks like a table: its first entry points right behind its last. */
export function isCertificateTable(bytes: Uint8Array): boolean {
  if (bytes.length < 2 * ENTRY || bytes.length > MAXIMUM_TABLE) return false;
  const offset = new DataView(bytes.buffer, bytes.byteOffset, ENTRY).getUint32(16, true);
  return offset % ENTRY === 0 && offset >= 2 * ENTRY && offset <= (MAXIMUM_ENTRIES + 1) * ENTRY;
}

/**
 * Reads evidence of any form.
 * @throws EvidenceError EVIDENCE_MALFORMED, CertificateError
 */
export function readSnpEvidence(evidence: Recognised): SnpEvidence {
  if (evidence.form === "json") return parseSnpJson(evidence.object);
  const { bytes } = evidence;
  const report = bytes.subarray(0, SNP_REPORT_LENGTH);
  return { report, certificates: certificatesOf(bytes.subarray(SNP_REPORT_LENGTH)) };
}

function certificatesOf(table: Uint8Array): Certificate[] {
  if (table.length === 0) return [];
  const cursor = new ByteCursor(table, "little", "certificate table");
  const certificates: Certificate[] = [];
  for (let entry = 0; entry <= MAXIMUM_ENTRIES; entry += 1) {
    const guid = guidText(cursor.bytes(16, "GUID"));
    const [offset, length] = [cursor.u32("offset"), cursor.u32("length")];
    if (guid === END) return certificates;
    const bytes = table.subarray(offset, offset + length);
    if (bytes.length !== length) throw malformed(`certificate table: ${guid} reaches past its end`);
    if (CERTIFICATES.has(guid)) certificates.push(parseCertificate(bytes));
  }
  throw malformed(`certificate table: over ${MAXIMUM_ENTRIES} entries`);
}
