// Attestation structures of TPM 2.0 for quotes (TPM 2.0 library part 2, TPMS_ATTEST): big-endian.
import { ByteCursor } from "../binary/cursor.ts";
import { EvidenceError, malformed } from "../errors.ts";
import { type TpmBank, tpmBank } from "./algorithms.ts";

/** The first bytes of everything a TPM attests: what it signs otherwise can't start so. */
export const TPM_MAGIC = 0xff544347;
const QUOTE = 0x8018;
const MAXIMUM_BANKS = 8;
const MAXIMUM_ATTEST = 4096;

/** PCRs of one bank that a quote is over. */
export interface PcrSelection {
  readonly bank: TpmBank;
  /** Ascending. */
  readonly indices: readonly number[];
  /** As it stands, in hexadecimal order of the structure. */
  readonly bitmap: Uint8Array;
}

/** A quote, read but not verified. */
export interface TpmQuote {
  readonly bytes: Uint8Array;
  readonly qualifiedSigner: Uint8Array;
  /** What the caller of the quote chose: the nonce. */
  readonly extraData: Uint8Array;
  readonly clock: bigint;
  readonly resetCount: number;
  readonly restartCount: number;
  /** Whether the clock has not been set back. */
  readonly clockSafe: boolean;
  readonly firmwareVersion: bigint;
  readonly selections: readonly PcrSelection[];
  readonly pcrDigest: Uint8Array;
}

/**
 * Reads a quote.
 * @throws EvidenceError EVIDENCE_MALFORMED, EVIDENCE_TOO_LARGE
 */
export function parseTpmQuote(input: Uint8Array): TpmQuote {
  if (input.length > MAXIMUM_ATTEST) {
    throw new EvidenceError("EVIDENCE_TOO_LARGE", `TPM quote of ${input.length} bytes`);
  }
  const cursor = new ByteCursor(input, "big", "TPM quote");
  const magic = cursor.u32("magic");
  if (magic !== TPM_MAGIC) throw malformed(`TPM quote: magic ${magic.toString(16)}h`);
  const type = cursor.u16("type");
  if (type !== QUOTE) throw malformed(`TPM quote: attestation of type ${type.toString(16)}h`);
  const head = {
    qualifiedSigner: sized(cursor, "qualified signer"),
    extraData: sized(cursor, "extra data"),
    clock: cursor.u64("clock"),
    resetCount: cursor.u32("reset count"),
    restartCount: cursor.u32("restart count"),
  };
  const safe = cursor.u8("clock safe");
  if (safe > 1) throw malformed(`TPM quote: clock safe is ${safe}`);
  const firmwareVersion = cursor.u64("firmware version");
  const selections = parseSelections(cursor);
  const pcrDigest = sized(cursor, "PCR digest");
  cursor.end();
  return { bytes: input, ...head, clockSafe: safe === 1, firmwareVersion, selections, pcrDigest };
}

/** A TPM2B: a length, then as many bytes. */
export function sized(cursor: ByteCursor, what: string): Uint8Array {
  return cursor.bytes(cursor.u16(`length of ${what}`), what);
}

function parseSelections(cursor: ByteCursor): PcrSelection[] {
  const count = cursor.u32("number of banks");
  if (count > MAXIMUM_BANKS) throw malformed(`TPM quote: ${count} banks`);
  const selections: PcrSelection[] = [];
  for (let each = 0; each < count; each += 1) {
    const bank = tpmBank(cursor.u16("bank"), "TPM quote");
    const bitmap = cursor.bytes(cursor.u8("length of the selection"), "selection");
    // The same bank twice could give one PCR two values.
    if (selections.some((earlier) => earlier.bank === bank)) {
      throw malformed(`TPM quote: bank ${bank} stands twice`);
    }
    const indices = Array.from({ length: bitmap.length * 8 }, (_, index) => index).filter(
      (index) => ((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1,
    );
    selections.push({ bank, indices, bitmap });
  }
  return selections;
}
