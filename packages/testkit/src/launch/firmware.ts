// A firmware image of one page or more that says of itself what OVMF says: reset block, hash table, SNP metadata.
import { concat } from "@holdfast/core";

/** What the image says; everything has a value of its own. */
export interface FirmwareFields {
  readonly pages?: number;
  readonly fill?: number;
  readonly resetEip?: number;
  readonly hashTableGpa?: number | undefined;
  readonly sections?: readonly (readonly [gpa: number, size: number, type: number])[];
  readonly signature?: string;
  readonly version?: number;
  /** Leaves entries out of the table. */
  readonly without?: readonly ("reset" | "hashes" | "metadata")[];
}

const FOOTER = "96b582de1fb245f7baeaa366c55a082d";
const HASH_TABLE = "7255371f3a3b4b04927b1da6efa8d454";
const RESET_BLOCK = "00f771de1a7e4fcb890e68c77e2fb44e";
const METADATA = "dc886566984a4798a75e5585a7bf67cc";
/** Where the metadata starts, counted from the end. */
const METADATA_OFFSET = 1024;

/** Bytes of an image. */
export function encodeFirmware(fields: FirmwareFields = {}): Uint8Array {
  const image = new Uint8Array((fields.pages ?? 1) * 4096).fill(fields.fill ?? 0x90);
  const sections = fields.sections ?? [
    [0x800000, 0x1000, 1],
    [0x80d000, 0x1000, 2],
    [0x80e000, 0x1000, 3],
    [0x80f000, 0x1000, 4],
    [0x810000, 0x1000, 16],
  ];
  const metadata = concat(
    new TextEncoder().encode(fields.signature ?? "ASEV"),
    little(4, 16 + 12 * sections.length),
    little(4, fields.version ?? 1),
    little(4, sections.length),
    ...sections.map((section) => concat(...section.map((value) => little(4, value)))),
  );
  image.set(metadata, image.length - METADATA_OFFSET);
  const present = (name: "reset" | "hashes" | "metadata") => !fields.without?.includes(name);
  const table = concat(
    ...(present("metadata") ? [entry(METADATA, little(4, METADATA_OFFSET))] : []),
    ...(present("hashes")
      ? [entry(HASH_TABLE, concat(little(4, fields.hashTableGpa ?? 0x810c00), little(4, 1024)))]
      : []),
    ...(present("reset") ? [entry(RESET_BLOCK, little(4, fields.resetEip ?? 0x80b004))] : []),
  );
  const footer = concat(little(2, table.length + 18), guid(FOOTER));
  image.set(concat(table, footer), image.length - 32 - 18 - table.length);
  return image;
}

function entry(name: string, data: Uint8Array): Uint8Array {
  return concat(data, little(2, data.length + 18), guid(name));
}

function guid(hex: string): Uint8Array {
  const bytes = Uint8Array.fromHex(hex);
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
