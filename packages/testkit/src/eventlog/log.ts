// Writes event logs in the crypto-agile format.
import { concat } from "@holdfast/core";

/** An event; its digest is in the bank of SHA-384. */
export interface LoggedEvent {
  readonly register: number;
  readonly type?: number;
  readonly digest: Uint8Array;
  readonly data?: Uint8Array;
  /** Number of the bank. */
  readonly bank?: number;
}

const SHA384 = 0x0c;
const EV_EVENT_TAG = 6;

/** Bytes of a log. */
export function encodeEventLog(
  events: readonly LoggedEvent[],
  change: { signature?: string; type?: number; digestSize?: number; padding?: Uint8Array } = {},
): Uint8Array {
  const specification = concat(
    new TextEncoder().encode(`${change.signature ?? "Spec ID Event03"}\0`),
    new Uint8Array(4),
    Uint8Array.of(0, 2, 0, 2),
    little(4, 1),
    little(2, SHA384),
    little(2, change.digestSize ?? 48),
    Uint8Array.of(0),
  );
  const header = concat(
    little(4, 1),
    little(4, change.type ?? 3),
    new Uint8Array(20),
    little(4, specification.length),
    specification,
  );
  return concat(header, ...events.map(encodeEvent), change.padding ?? new Uint8Array());
}

function encodeEvent({ register, type, digest, data, bank }: LoggedEvent): Uint8Array {
  const event = data ?? new Uint8Array(4);
  return concat(
    little(4, register),
    little(4, type ?? EV_EVENT_TAG),
    little(4, 1),
    little(2, bank ?? SHA384),
    digest,
    little(4, event.length),
    event,
  );
}

function little(length: number, value: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => Math.floor(value / 256 ** index) % 256);
}
