// The table of hashes that QEMU gives a guest for kernel, initial RAM disk and command line, so that firmware can hold what
// it starts against what was measured (QEMU, SEV kernel hashes).
import { type CryptoPort, concat, fromText } from "@holdfast/core";
import { malformed } from "../errors.ts";
import { guidBytes } from "./guid.ts";

/** What is started. */
export interface StartedKernel {
  readonly kernel: Uint8Array;
  /** Absent is empty. */
  readonly initrd?: Uint8Array;
  readonly commandLine?: string;
}

const HEADER = "9438d606-4f22-4cc9-b479-a793d411fd21";
const KERNEL = "4de79437-abd2-427f-b835-d5b172d2045b";
const INITRD = "44baf731-3a2f-4bd7-9af1-41e29169781d";
const COMMAND_LINE = "97d02dd8-bd20-4c94-aa78-e7714d36ab2a";
const ENTRY = 50;
const TABLE = 18 + 3 * ENTRY;
/** The table is as long as a multiple of 16. */
const PADDED = 176;

/** The table, padded. */
export async function kernelHashTable(
  { kernel, initrd, commandLine }: StartedKernel,
  crypto: CryptoPort,
): Promise<Uint8Array> {
  const entry = async (guid: string, content: Uint8Array): Promise<Uint8Array> =>
    concat(guidBytes(guid), length(ENTRY), await crypto.digest("SHA-256", content));
  return concat(
    guidBytes(HEADER),
    length(TABLE),
    // The command line is hashed with the NUL that ends it.
    await entry(COMMAND_LINE, fromText(`${commandLine ?? ""}\0`)),
    await entry(INITRD, initrd ?? new Uint8Array()),
    await entry(KERNEL, kernel),
    new Uint8Array(PADDED - TABLE),
  );
}

/** A page with the table at the offset that the firmware expects it at. */
export function kernelHashPage(table: Uint8Array, offset: number): Uint8Array {
  const page = new Uint8Array(4096);
  if (offset + table.length > page.length)
    throw malformed("kernel hashes: table does not fit its page");
  page.set(table, offset);
  return page;
}

function length(value: number): Uint8Array {
  return Uint8Array.of(value & 255, value >> 8);
}
