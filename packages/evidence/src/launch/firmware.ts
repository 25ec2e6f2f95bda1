// What OVMF says of itself for SEV: a table of entries that ends 32 bytes before its end, read backwards (OVMF, reset vector
// and SEV metadata). Firmware lies directly below 4 GiB.
import { ByteCursor } from "../binary/cursor.ts";
import { malformed } from "../errors.ts";
import { guidText } from "./guid.ts";

/** A part of guest memory that the firmware wants prepared at launch. */
export interface MetadataSection {
  readonly gpa: number;
  readonly size: number;
  readonly kind: "memory" | "secrets" | "cpuid" | "svsm-caa" | "kernel-hashes";
}

/** Firmware, read. */
export interface SevFirmware {
  readonly data: Uint8Array;
  readonly gpa: number;
  /** Where processors but the first start. */
  readonly resetEip: number;
  /** Where the table of kernel hashes lies, when the firmware checks them. */
  readonly hashTableGpa?: number;
  /** For SNP, in order. */
  readonly sections: readonly MetadataSection[];
}

/** The longest firmware read, in bytes. */
export const MAXIMUM_FIRMWARE: number = 64 * 1024 * 1024;
const FOUR_GIB = 2 ** 32;
const ENTRY = 18;
const TAIL = 32;
const FOOTER = "96b582de-1fb2-45f7-baea-a366c55a082d";
const HASH_TABLE = "7255371f-3a3b-4b04-927b-1da6efa8d454";
const RESET_BLOCK = "00f771de-1a7e-4fcb-890e-68c77e2fb44e";
const METADATA = "dc886566-984a-4798-a75e-5585a7bf67cc";
const KINDS: Readonly<Record<number, MetadataSection["kind"]>> = {
  1: "memory",
  2: "secrets",
  3: "cpuid",
  4: "svsm-caa",
  16: "kernel-hashes",
};
const MAXIMUM_SECTIONS = 64;

/**
 * Reads firmware.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function parseSevFirmware(data: Uint8Array): SevFirmware {
  if (data.length > MAXIMUM_FIRMWARE || data.length < 4096 || data.length % 4096 !== 0) {
    throw malformed(`firmware of ${data.length} bytes: whole pages up to 64 MiB expected`);
  }
  const entries = firmwareEntries(data);
  const reset = entries.get(RESET_BLOCK);
  if (reset === undefined) throw malformed("firmware: no SEV-ES reset block");
  const hashes = entries.get(HASH_TABLE);
  const hashTableGpa = hashes === undefined ? 0 : little(hashes).u32("hash table");
  return {
    data,
    gpa: FOUR_GIB - data.length,
    resetEip: little(reset).u32("reset address"),
    ...(hashTableGpa === 0 ? {} : { hashTableGpa }),
    sections: parseSections(data, entries.get(METADATA)),
  };
}

/** Entries of the table at the end of firmware, by GUID. */
export function firmwareEntries(data: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const end = data.length - TAIL - ENTRY;
  const footer = little(data.subarray(end, end + ENTRY));
  const size = footer.u16("table size");
  if (guidText(footer.bytes(16, "table GUID")) !== FOOTER) {
    throw malformed("firmware: no table of entries at its end");
  }
  if (size < ENTRY || size - ENTRY > end) throw malformed(`firmware: table of ${size} bytes`);
  const entries = new Map<string, Uint8Array>();
  let table = data.subarray(end - (size - ENTRY), end);
  while (table.length >= ENTRY) {
    const head = little(table.subarray(table.length - ENTRY));
    const length = head.u16("entry size");
    if (length < ENTRY || length > table.length)
      throw malformed(`firmware: entry of ${length} bytes`);
    const guid = guidText(head.bytes(16, "entry GUID"));
    entries.set(guid, table.subarray(table.length - length, table.length - ENTRY));
    table = table.subarray(0, table.length - length);
  }
  return entries;
}

function parseSections(data: Uint8Array, entry: Uint8Array | undefined): MetadataSection[] {
  if (entry === undefined) return [];
  const offset = little(entry).u32("offset of the metadata");
  if (offset > data.length || offset < 16) throw malformed("firmware: metadata lies outside of it");
  const cursor = little(data.subarray(data.length - offset));
  if (String.fromCharCode(...cursor.bytes(4, "signature")) !== "ASEV") {
    throw malformed("firmware: metadata without its signature");
  }
  cursor.u32("size");
  const version = cursor.u32("version");
  if (version !== 1) throw malformed(`firmware: metadata of version ${version}`);
  const count = cursor.u32("number of sections");
  if (count > MAXIMUM_SECTIONS) throw malformed(`firmware: ${count} sections`);
  return Array.from({ length: count }, () => {
    const [gpa, size, type] = [cursor.u32("address"), cursor.u32("size"), cursor.u32("type")];
    const kind = KINDS[type];
    if (kind === undefined) throw malformed(`firmware: section of type ${type}`);
    if (gpa % 4096 !== 0 || size % 4096 !== 0) throw malformed("firmware: section of part pages");
    return { gpa, size, kind };
  });
}

function little(bytes: Uint8Array): ByteCursor {
  return new ByteCursor(bytes, "little", "firmware");
}
