// Event logs of measured boot in the crypto-agile format (TCG PC client platform firmware profile, section 10), of TPMs and
// of confidential computing (CCEL), and in the form before it, which has SHA-1 alone. A log is what somebody says happened; it counts as far as its replay ends in register
// values that evidence proves.
import { type CryptoPort, concat, type DigestName } from "@holdfast/core";
import { ByteCursor } from "../binary/cursor.ts";
import { EvidenceError, malformed } from "../errors.ts";
import { bankLength, type TpmBank, tpmBank } from "../tpm/algorithms.ts";
import { isOldLog, parseOldEvents } from "./old-log.ts";
import { sm3 } from "./sm3.ts";

/** A bank of digests in a log: those of TPMs, and SM3. */
export type LogBank = TpmBank | "sm3";

/** One measured event. */
export interface MeasuredEvent {
  /** PCR, or of a CCEL: 0 for MRTD, 1 to 4 for RTMR0 to 3. */
  readonly register: number;
  readonly type: number;
  /** Digest by bank. */
  readonly digests: ReadonlyMap<LogBank, Uint8Array>;
  readonly data: Uint8Array;
}

/** A log, read but not replayed. */
export interface EventLog {
  readonly banks: readonly LogBank[];
  /** In order, without the header. */
  readonly events: readonly MeasuredEvent[];
}

/** Events that are never measured. */
export const EV_NO_ACTION = 3;
const SIGNATURE = "Spec ID Event03";
const MAXIMUM_LOG = 1024 * 1024;
const MAXIMUM_EVENTS = 16_384;
const MAXIMUM_BANKS = 8;
const END = 0xffffffff;
const SM3 = 0x12;
const DIGESTS: Readonly<Record<TpmBank, DigestName>> = {
  sha1: "SHA-1",
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
};

/** Whether bytes are such a log: they start with its header, or are events in the older form from end to end. */
export function isEventLog(bytes: Uint8Array): boolean {
  return hasHeader(bytes) || isOldLog(bytes);
}

function hasHeader(bytes: Uint8Array): boolean {
  const signature = bytes.subarray(32, 32 + SIGNATURE.length);
  return String.fromCharCode(...signature) === SIGNATURE;
}

/**
 * Reads a log up to its padding.
 * @throws EvidenceError EVIDENCE_MALFORMED, EVIDENCE_TOO_LARGE
 */
export function parseEventLog(input: Uint8Array): EventLog {
  if (input.length > MAXIMUM_LOG) {
    throw new EvidenceError("EVIDENCE_TOO_LARGE", `event log of ${input.length} bytes`);
  }
  if (!hasHeader(input) && isOldLog(input)) {
    return { banks: ["sha1"], events: parseOldEvents(input) };
  }
  const cursor = new ByteCursor(input, "little", "event log");
  const banks = parseHeader(cursor);
  const events: MeasuredEvent[] = [];
  while (cursor.left >= 8) {
    const register = cursor.u32("register");
    const type = cursor.u32("event type");
    if (register === END || isPadding(register, type, cursor)) break;
    if (events.length >= MAXIMUM_EVENTS) throw malformed("event log: too many events");
    events.push({ register, type, ...parseBody(cursor, banks) });
  }
  return { banks, events };
}

/** Register values after a replay, of every register that the log measures into. */
export async function replayEventLog(
  { events }: EventLog,
  bank: LogBank,
  crypto: CryptoPort,
): Promise<ReadonlyMap<number, Uint8Array>> {
  const registers = new Map<number, Uint8Array>();
  for (const { register, type, digests, data } of events) {
    if (type === EV_NO_ACTION) {
      const locality = startupLocality(data);
      if (register === 0 && locality !== undefined && !registers.has(0)) {
        registers.set(0, lastByte(lengthOf(bank), locality));
      }
      continue;
    }
    const digest = digests.get(bank);
    if (digest === undefined) throw malformed(`event log: an event without a ${bank} digest`);
    const before = registers.get(register) ?? new Uint8Array(lengthOf(bank));
    const both = concat(before, digest);
    const after = bank === "sm3" ? sm3(both) : await crypto.digest(DIGESTS[bank], both);
    registers.set(register, after);
  }
  return registers;
}

/** The first event, in the older form, says which digests the others carry. */
function parseHeader(cursor: ByteCursor): LogBank[] {
  cursor.u32("register");
  const type = cursor.u32("event type");
  cursor.bytes(20, "digest");
  const size = cursor.u32("event size");
  if (type !== EV_NO_ACTION) throw malformed("event log: the first event is not a header");
  const event = new ByteCursor(cursor.bytes(size, "header"), "little", "event log header");
  const signature = event.bytes(SIGNATURE.length, "signature");
  if (String.fromCharCode(...signature) !== SIGNATURE) {
    throw malformed("event log: not in the crypto-agile format");
  }
  event.bytes(9, "platform class and versions");
  const count = event.u32("number of banks");
  if (count === 0 || count > MAXIMUM_BANKS) throw malformed(`event log: ${count} banks`);
  const banks = Array.from({ length: count }, () => {
    const bank = bankOf(event.u16("bank"));
    const length = event.u16("digest size");
    if (length !== lengthOf(bank)) throw malformed(`event log: ${bank} of ${length} bytes`);
    return bank;
  });
  event.bytes(event.u8("length of vendor data"), "vendor data");
  event.end();
  return banks;
}

function parseBody(
  cursor: ByteCursor,
  banks: readonly LogBank[],
): Pick<MeasuredEvent, "digests" | "data"> {
  const count = cursor.u32("number of digests");
  if (count > MAXIMUM_BANKS) throw malformed(`event log: ${count} digests`);
  const digests = new Map<LogBank, Uint8Array>();
  for (let each = 0; each < count; each += 1) {
    const bank = bankOf(cursor.u16("bank"));
    if (!banks.includes(bank) || digests.has(bank)) {
      throw malformed(`event log: a ${bank} digest that does not belong there`);
    }
    digests.set(bank, cursor.bytes(lengthOf(bank), "digest"));
  }
  return { digests, data: cursor.bytes(cursor.u32("event size"), "event") };
}

function bankOf(number: number): LogBank {
  return number === SM3 ? "sm3" : tpmBank(number, "event log");
}

function lengthOf(bank: LogBank): number {
  return bank === "sm3" ? 32 : bankLength(bank);
}

/** Firmware leaves the rest of its table zero: an event of type 0 in register 0 without digests. */
function isPadding(register: number, type: number, cursor: ByteCursor): boolean {
  if (register !== 0 || type !== 0) return false;
  return cursor.left < 4 || cursor.rest().every((byte) => byte === 0);
}

/** A TPM that was started from another locality starts PCR 0 with it. */
function startupLocality(data: Uint8Array): number | undefined {
  const name = "StartupLocality\0";
  const matches = data.length === name.length + 1;
  return matches && String.fromCharCode(...data.subarray(0, name.length)) === name
    ? data[name.length]
    : undefined;
}

function lastByte(length: number, value: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes[length - 1] = value;
  return bytes;
}
