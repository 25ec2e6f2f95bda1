// Digests of PE images as firmware measures them (Windows Authenticode Portable Executable Signature Format): everything
// but the checksum, the entry of the certificate table, and the table itself.
import { type CryptoPort, concat, type DigestName } from "@holdfast/core";
import { ByteCursor } from "../binary/cursor.ts";
import { malformed } from "../errors.ts";

/** The largest image looked at, in bytes. */
export const MAXIMUM_IMAGE: number = 512 * 1024 * 1024;

const DOS = 0x5a4d;
const PE = 0x00004550;
const PE_AT = 0x3c;
const FILE_HEADER = 24;
const CHECKSUM = 64;
/** Data directories, by the kind of optional header. */
const DIRECTORIES: Readonly<Record<number, number>> = { 267: 96, 523: 112 };
const ENTRY = 8;
const CERTIFICATES = 4;
const SECTION = 40;
const MAXIMUM_SECTIONS = 96;

interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * The digest of an image.
 * @throws EvidenceError EVIDENCE_MALFORMED when it is no PE image
 */
export async function imageDigest(
  image: Uint8Array,
  hash: DigestName,
  crypto: CryptoPort,
): Promise<Uint8Array> {
  const parts = digestedRanges(image).map(({ from, to }) => image.subarray(from, to));
  return await crypto.digest(hash, concat(...parts));
}

function digestedRanges(image: Uint8Array): Range[] {
  if (image.length > MAXIMUM_IMAGE) throw malformed(`image of ${image.length} bytes`);
  const at = (offset: number): ByteCursor => {
    if (offset > image.length) throw malformed("image: a header lies outside of it");
    return new ByteCursor(image.subarray(offset), "little", "image");
  };
  if (at(0).u16("DOS signature") !== DOS) throw malformed("image: not a PE image");
  const header = at(PE_AT).u32("offset of the header");
  if (at(header).u32("signature") !== PE) throw malformed("image: not a PE image");
  const count = at(header + 6).u16("number of sections");
  if (count > MAXIMUM_SECTIONS) throw malformed(`image: ${count} sections`);
  const optional = header + FILE_HEADER;
  const optionalLength = at(header + 20).u16("length of the optional header");
  const directories = DIRECTORIES[at(optional).u16("kind")];
  if (directories === undefined) throw malformed("image: unknown kind of optional header");
  const headers = at(optional + 60).u32("length of the headers");
  const entries = at(optional + directories - 4).u32("number of directories");
  const entry = optional + directories + CERTIFICATES * ENTRY;
  const signed = entries > CERTIFICATES;
  const table = signed ? at(entry + 4).u32("length of the certificates") : 0;
  const sections = Array.from({ length: count }, (_, index) => {
    const cursor = at(optional + optionalLength + index * SECTION + 16);
    const [length, from] = [cursor.u32("length"), cursor.u32("offset")];
    return { from, to: from + length };
  })
    .filter(({ from, to }) => to > from)
    .toSorted((one, other) => one.from - other.from);
  const end = sections.reduce((sum, { from, to }) => sum + to - from, headers);
  const checksum = optional + CHECKSUM;
  const afterEntry = entry + ENTRY;
  const ranges = [
    { from: 0, to: checksum },
    ...(signed
      ? [
          { from: checksum + 4, to: entry },
          { from: afterEntry, to: headers },
        ]
      : [{ from: checksum + 4, to: headers }]),
    ...sections,
    { from: end, to: Math.max(end, image.length - table) },
  ];
  if (ranges.some(({ from, to }) => from > to || to > image.length)) {
    throw malformed("image: a part lies outside of it");
  }
  return ranges;
}
