// Holds an event log against register values that evidence proved.
import { type Check, type CryptoPort, check, notPerformed, toHex } from "@holdfast/core";
import { EvidenceError } from "../errors.ts";
import type { TpmBank } from "../tpm/algorithms.ts";
import { isEventLog, parseEventLog, replayEventLog } from "./event-log.ts";

/** Registers that evidence proved. */
export interface ProvenRegisters {
  /** What a register is called: `rtMr0`, `PCR 0`. */
  readonly nameOf: (register: number) => string;
  /** Lower-case hexadecimal by number in the log. */
  readonly values: ReadonlyMap<number, string>;
  readonly bank: TpmBank;
}

/** The log among parts of evidence, if there is one. */
export function logAmong(parts: readonly { readonly bytes: Uint8Array }[]): Uint8Array | undefined {
  return parts.find(({ bytes }) => isEventLog(bytes))?.bytes;
}

/** A check for each register that the log measures into, and one for those it leaves out. */
export async function eventLogChecks(
  log: Uint8Array,
  proven: ProvenRegisters,
  crypto: CryptoPort,
): Promise<Check[]> {
  const name = "event-log.format";
  try {
    const replayed = await replayEventLog(parseEventLog(log), proven.bank, crypto);
    return [
      check(name, replayed.size > 0, `measures into ${replayed.size} registers`),
      ...[...replayed]
        .toSorted(([a], [b]) => a - b)
        .map(([register, value]) => registerCheck(register, toHex(value), proven)),
      ...unexplained(replayed, proven),
    ];
  } catch (thrown) {
    if (!(thrown instanceof EvidenceError)) throw thrown;
    return [check(name, false, thrown.message)];
  }
}

function registerCheck(register: number, replayed: string, proven: ProvenRegisters): Check {
  const id = `event-log.${register}`;
  const name = proven.nameOf(register);
  const found = proven.values.get(register);
  if (found === undefined) return notPerformed(id, `the evidence proves no ${name}`);
  return check(
    id,
    found === replayed,
    found === replayed
      ? `replays to ${name}`
      : `replays to ${replayed}, but ${name} is ${found}: a log of another boot`,
  );
}

/** Registers that something was measured into which the log says nothing of. */
function unexplained(
  replayed: ReadonlyMap<number, Uint8Array>,
  { values, nameOf }: ProvenRegisters,
): Check[] {
  const open = [...values]
    .filter(([register, value]) => !replayed.has(register) && /[^0]/.test(value))
    .map(([register]) => nameOf(register));
  return open.length === 0
    ? []
    : [notPerformed("event-log.complete", `the log does not explain ${open.join(", ")}`)];
}
