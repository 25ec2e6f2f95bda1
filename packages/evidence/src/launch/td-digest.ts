// MRTD: what TDX measures of the firmware that a TD starts with (TDX module ABI, TDH.MEM.PAGE.ADD and TDH.MR.EXTEND; TDVF
// design guide, section 11). Kernel and command line are measured later, into RTMRs, which event logs explain.
import { type CryptoPort, concat, fromText } from "@holdfast/core";
import { ByteCursor } from "../binary/cursor.ts";
import { malformed } from "../errors.ts";
import { firmwareEntries } from "./firmware.ts";

/** A part of a TD's first memory. */
export interface TdSection {
  /** Bytes of the firmware; what is short of the size is zero. */
  readonly data: Uint8Array;
  readonly gpa: bigint;
  readonly size: number;
  /** Whether its contents are measured, not only that it is there. */
  readonly measured: boolean;
  /** Added when the TD runs already: not measured at all. */
  readonly later: boolean;
}

/**
 * In which order a hypervisor adds and measures pages: page by page, or first all pages of a section and then what is in
 * them. Kernels before the mainline support of TDX do the latter.
 */
export type TdPageOrder = "page" | "section";

const METADATA = "e47a6535-984a-4798-865e-4685a7bf8ec2";
const PAGE = 4096;
const CHUNK = 256;
const RECORD = 128;
const MEASURED = 1;
const LATER = 2;
const MAXIMUM_FIRMWARE = 16 * 1024 * 1024;
const MAXIMUM_SECTIONS = 64;
const MAXIMUM_PAGES = 1 << 16;
/** Contents weigh more than pages do: twice the largest firmware. */
const MAXIMUM_MEASURED_PAGES = 1 << 13;

/**
 * Reads the sections of TDX firmware.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function parseTdFirmware(firmware: Uint8Array): TdSection[] {
  if (
    firmware.length > MAXIMUM_FIRMWARE ||
    firmware.length < PAGE ||
    firmware.length % PAGE !== 0
  ) {
    throw malformed(`firmware of ${firmware.length} bytes: whole pages up to 16 MiB expected`);
  }
  const entry = firmwareEntries(firmware).get(METADATA);
  if (entry === undefined) throw malformed("firmware: no TDX metadata");
  const offset = little(entry).u32("offset of the metadata");
  if (offset > firmware.length || offset < 16)
    throw malformed("firmware: metadata lies outside of it");
  const cursor = little(firmware.subarray(firmware.length - offset));
  if (String.fromCharCode(...cursor.bytes(4, "signature")) !== "TDVF") {
    throw malformed("firmware: TDX metadata without its signature");
  }
  cursor.u32("size");
  const version = cursor.u32("version");
  if (version !== 1) throw malformed(`firmware: TDX metadata of version ${version}`);
  const count = cursor.u32("number of sections");
  if (count > MAXIMUM_SECTIONS) throw malformed(`firmware: ${count} sections`);
  const sections = Array.from({ length: count }, () => parseSection(cursor, firmware));
  const early = sections.filter(({ later }) => !later);
  checkPages(early, MAXIMUM_PAGES);
  checkPages(
    early.filter(({ measured }) => measured),
    MAXIMUM_MEASURED_PAGES,
  );
  return sections;
}

/**
 * MRTD of firmware: SHA-384.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export async function tdxLaunchDigest(
  firmware: Uint8Array,
  crypto: CryptoPort,
  order: TdPageOrder = "page",
): Promise<Uint8Array> {
  const records = parseTdFirmware(firmware)
    .filter(({ later }) => !later)
    .flatMap((section) => sectionRecords(section, order));
  return await crypto.digest("SHA-384", concat(...records));
}

function checkPages(sections: readonly TdSection[], maximum: number): void {
  const pages = sections.reduce((sum, { size }) => sum + size / PAGE, 0);
  if (pages > maximum) throw malformed(`firmware: ${pages} pages to measure`);
}

function parseSection(cursor: ByteCursor, firmware: Uint8Array): TdSection {
  const from = cursor.u32("data offset");
  const length = cursor.u32("data size");
  const gpa = cursor.u64("address");
  const size = cursor.u64("size");
  cursor.u32("section type");
  const attributes = cursor.u32("attributes");
  if (from + length > firmware.length) throw malformed("firmware: a section lies outside of it");
  if (gpa % BigInt(PAGE) !== 0n || size % BigInt(PAGE) !== 0n || size > 2n ** 40n) {
    throw malformed("firmware: a section of part pages");
  }
  if (BigInt(length) > size) throw malformed("firmware: a section is longer than its memory");
  return {
    data: firmware.subarray(from, from + length),
    gpa,
    size: Number(size),
    measured: (attributes & MEASURED) !== 0,
    later: (attributes & LATER) !== 0,
  };
}

function sectionRecords(section: TdSection, order: TdPageOrder): Uint8Array[] {
  const pages = Array.from({ length: section.size / PAGE }, (_, index) => index * PAGE);
  const added = (at: number): Uint8Array => record("MEM.PAGE.ADD", section.gpa + BigInt(at));
  const contents = (at: number): Uint8Array[] => (section.measured ? pageRecords(section, at) : []);
  return order === "page"
    ? pages.flatMap((at) => [added(at), ...contents(at)])
    : [...pages.map(added), ...pages.flatMap(contents)];
}

function pageRecords({ data, gpa }: TdSection, page: number): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let at = page; at < page + PAGE; at += CHUNK) {
    const chunk = new Uint8Array(CHUNK);
    chunk.set(data.subarray(at, at + CHUNK));
    records.push(record("MR.EXTEND", gpa + BigInt(at)), chunk);
  }
  return records;
}

function record(name: string, gpa: bigint): Uint8Array {
  const bytes = new Uint8Array(RECORD);
  bytes.set(fromText(name));
  new DataView(bytes.buffer).setBigUint64(16, gpa, true);
  return bytes;
}

function little(bytes: Uint8Array): ByteCursor {
  return new ByteCursor(bytes, "little", "firmware");
}
