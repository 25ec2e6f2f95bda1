// PCR values as `tpm2_quote -o` and `tpm2_pcrread -o` leave them: structures of the TSS as they lie in memory on a
// little-endian machine, a selection of banks and then lists of up to eight digests, in the selection's order.
import { ByteCursor } from "../binary/cursor.ts";
import { malformed } from "../errors.ts";
import { bankLength, type TpmBank, tpmBank } from "./algorithms.ts";
import type { PcrValues } from "./evidence.ts";

const WHERE = "PCR file";
const BANKS = 16;
const BITMAP = 4;
const LISTS = 16;
const DIGESTS = 8;
const LONGEST = 64;
const SELECTIONS_LENGTH = 4 + BANKS * 8;
const LIST_LENGTH = 4 + DIGESTS * (2 + LONGEST);

/**
 * Reads a file of values.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function parsePcrFile(input: Uint8Array): PcrValues {
  const lists = (input.length - SELECTIONS_LENGTH - 4) / LIST_LENGTH;
  if (!Number.isInteger(lists) || lists < 1 || lists > LISTS) {
    throw malformed(`${WHERE}: ${input.length} bytes`);
  }
  const cursor = new ByteCursor(input, "little", WHERE);
  const selected = parseSelected(cursor);
  if (cursor.u32("number of lists") !== lists) throw malformed(`${WHERE}: another number of lists`);
  const digests = Array.from({ length: lists }, () => parseList(cursor)).flat();
  cursor.end();
  if (digests.length !== selected.length) {
    throw malformed(`${WHERE}: ${digests.length} values of ${selected.length} PCRs`);
  }
  const values = new Map<TpmBank, Map<number, Uint8Array>>();
  for (const [position, { bank, index }] of selected.entries()) {
    const digest = digests[position];
    if (digest?.length !== bankLength(bank)) {
      throw malformed(`${WHERE}: a value that is not of bank ${bank}`);
    }
    const bankValues = values.get(bank) ?? new Map<number, Uint8Array>();
    if (bankValues.has(index)) throw malformed(`${WHERE}: PCR ${index} stands twice`);
    values.set(bank, bankValues.set(index, digest));
  }
  return values;
}

function parseSelected(cursor: ByteCursor): { bank: TpmBank; index: number }[] {
  const count = cursor.u32("number of banks");
  if (count < 1 || count > BANKS) throw malformed(`${WHERE}: ${count} banks`);
  return Array.from({ length: BANKS }, (_, position) => {
    const algorithm = cursor.u16("bank");
    const length = cursor.u8("length of the selection");
    const bitmap = cursor.bytes(BITMAP, "selection");
    cursor.u8("padding");
    // What follows the last bank is whatever lay in memory.
    if (position >= count) return [];
    const bank = tpmBank(algorithm, WHERE);
    if (length > BITMAP) throw malformed(`${WHERE}: selection of ${length} bytes`);
    return Array.from({ length: length * 8 }, (_bit, index) => index)
      .filter((index) => ((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1)
      .map((index) => ({ bank, index }));
  }).flat();
}

function parseList(cursor: ByteCursor): Uint8Array[] {
  const count = cursor.u32("number of digests");
  if (count > DIGESTS) throw malformed(`${WHERE}: ${count} digests in a list`);
  return Array.from({ length: DIGESTS }, () => {
    const length = cursor.u16("length of a digest");
    const digest = cursor.bytes(LONGEST, "digest");
    return digest.subarray(0, length);
  }).slice(0, count);
}
