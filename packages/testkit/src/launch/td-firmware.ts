// A firmware image of two pages that says of itself what TDX firmware says: which of its parts are measured, and where they go.
import { concat } from "@holdfast/core";

/** A section as its metadata describes it. Attributes: 1 measured, 2 added later. */
export type TdSectionFields = readonly [
  from: number,
  length: number,
  gpa: number,
  size: number,
  type: number,
  attributes: number,
];

/** What the image says; everything has a value of its own. */
export interface TdFirmwareFields {
  readonly sections?: readonly TdSectionFields[];
  readonly signature?: string;
  readonly version?: number;
  readonly guid?: string;
  readonly fill?: number;
}

const PAGE = 4096;
const FOOTER = "96b582de-1fb2-45f7-baea-a366c55a082d";
const METADATA = "e47a6535-984a-4798-865e-4685a7bf8ec2";
/** Where the metadata starts, counted from the end. */
const METADATA_OFFSET = 1024;

/** Bytes of an image. */
export function encodeTdFirmware(fields: TdFirmwareFields = {}): Uint8Array {
  const image = new Uint8Array(2 * PAGE).fill(fields.fill ?? 0x90);
  const sections = fields.sections ?? [[0, PAGE, 0xffffe000, PAGE, 0, 1]];
  const metadata = concat(
    new TextEncoder().encode(fields.signature ?? "TDVF"),
    little(4, 16 + 32 * sections.length),
    little(4, fields.version ?? 1),
    little(4, sections.length),
    ...sections.map(([from, length, gpa, size, type, attributes]) =>
      concat(
        little(4, from),
        little(4, length),
        little(8, gpa),
        little(8, size),
        little(4, type),
        little(4, attributes),
      ),
    ),
  );
  image.set(metadata, image.length - METADATA_OFFSET);
  const entry = concat(
    little(4, METADATA_OFFSET),
    little(2, 22),
    guidBytes(fields.guid ?? METADATA),
  );
  const table = concat(entry, little(2, entry.length + 18), guidBytes(FOOTER));
  image.set(table, image.length - 32 - table.length);
  return image;
}

function guidBytes(text: string): Uint8Array {
  const bytes = Uint8Array.fromHex(text.replaceAll("-", ""));
  return Uint8Array.of(
    ...bytes.subarray(0, 4).toReversed(),
    ...bytes.subarray(4, 6).toReversed(),
    ...bytes.subarray(6, 8).toReversed(),
    ...bytes.subarray(8),
  );
}

function little(length: number, value: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => Math.floor(value / 256 ** index) % 256);
}
