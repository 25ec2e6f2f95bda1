// Event logs of the TPM 1.2 era (TCG_PCClientPCREvent): events with one SHA-1 digest each, without a header. A log of this
// kind explains a bank that nobody may rely on any more; it is read so that people can look into it.
import { ByteCursor } from "../binary/cursor.ts";
import { malformed } from "../errors.ts";
import type { MeasuredEvent } from "./event-log.ts";

const SHA1_LENGTH = 20;
const REGISTERS = 24;
const MAXIMUM_EVENTS = 16_384;
const HEAD = 8 + SHA1_LENGTH + 4;
/** Types of events of the TCG: the platform's own below this, and firmware's in a range of its own. */
const LAST_TYPE = 0x20;
const FIRMWARE = { first: 0x8000_0000, last: 0x8000_0100 };
const LEAST_EVENTS = 3;

/** Whether bytes are events of this form and nothing else, up to their padding. */
export function isOldLog(bytes: Uint8Array): boolean {
  if (bytes.length < LEAST_EVENTS * HEAD || !isKnown(headOf(bytes))) return false;
  try {
    return parseOldEvents(bytes).length >= LEAST_EVENTS;
  } catch {
    // It is something else.
    return false;
  }
}

/**
 * Reads events up to the padding.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function parseOldEvents(input: Uint8Array): MeasuredEvent[] {
  const cursor = new ByteCursor(input, "little", "event log");
  const events: MeasuredEvent[] = [];
  while (cursor.left >= HEAD) {
    const register = cursor.u32("register");
    const type = cursor.u32("event type");
    const digest = cursor.bytes(SHA1_LENGTH, "digest");
    const size = cursor.u32("event size");
    if (isPadding(register, type, digest, size)) break;
    if (register >= REGISTERS) throw malformed(`event log: register ${register}`);
    if (events.length >= MAXIMUM_EVENTS) throw malformed("event log: too many events");
    events.push({
      register,
      type,
      digests: new Map([["sha1", digest]]),
      data: cursor.bytes(size, "event"),
    });
  }
  const rest = cursor.rest();
  if (!rest.every((byte) => byte === (rest[0] ?? 0) && (byte === 0 || byte === 0xff))) {
    throw malformed("event log: something follows its events");
  }
  return events;
}

interface Head {
  readonly register: number;
  readonly type: number;
}

function headOf(bytes: Uint8Array): Head {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  return { register: view.getUint32(0, true), type: view.getUint32(4, true) };
}

function isKnown({ register, type }: Head): boolean {
  const known = type <= LAST_TYPE || (type >= FIRMWARE.first && type <= FIRMWARE.last);
  return register < REGISTERS && known;
}

function isPadding(register: number, type: number, digest: Uint8Array, size: number): boolean {
  const empty = register === 0 && type === 0 && size === 0;
  const ones = register === 0xffffffff && type === 0xffffffff;
  return (empty && digest.every((byte) => byte === 0)) || ones;
}
