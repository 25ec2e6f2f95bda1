// A log on its own: read and replayed, but nothing vouches for it until evidence proves the registers it ends in.
import { check, notPerformed, toHex } from "@holdfast/core";
import { type Appraisal, appraisalOf } from "../appraisal.ts";
import { EvidenceError } from "../errors.ts";
import { expectationChecks } from "../judge/bindings.ts";
import type { JudgeRequest } from "../judge/request.ts";
import { type EventLog, type LogBank, parseEventLog, replayEventLog } from "./event-log.ts";

/** What a log replays to; byte strings are lower-case hexadecimal. */
export interface EventLogClaims {
  readonly events: number;
  readonly bank: LogBank;
  /** `rtmr0` to `rtmr3` of a CCEL. */
  readonly [register: `rtmr${number}`]: string;
  /** Every register by its number in the log. */
  readonly registers: Readonly<Record<string, string>>;
}

const PREFERRED: readonly LogBank[] = ["sha384", "sha256", "sha512", "sm3"];

/** Reads and replays a log. The claims are what the log says, and no more: the verdict is open. */
export async function verifyEventLog(
  input: Uint8Array,
  request: JudgeRequest,
): Promise<Appraisal<EventLogClaims>> {
  const base = { type: "event-log", platform: "unknown", simulated: false, at: request.at };
  try {
    const log = parseEventLog(input);
    const claims = await eventLogClaims(log, request);
    return appraisalOf<EventLogClaims>({
      ...base,
      checks: [
        check("event-log.format", true, `${claims.events} events in banks ${log.banks.join(", ")}`),
        notPerformed(
          "event-log.proven",
          "no evidence proves the registers: give it beside the log",
        ),
        ...expectationChecks(claims, request.expect),
      ],
      waived: request.waive ?? [],
      claims,
    });
  } catch (thrown) {
    if (!(thrown instanceof EvidenceError)) throw thrown;
    return appraisalOf<EventLogClaims>({
      ...base,
      checks: [check("event-log.format", false, thrown.message)],
    });
  }
}

/** What a log replays to. */
export async function eventLogClaims(
  log: EventLog,
  { crypto }: Pick<JudgeRequest, "crypto">,
): Promise<EventLogClaims> {
  const bank = PREFERRED.find((each) => log.banks.includes(each)) ?? "sha1";
  const replayed = await replayEventLog(log, bank, crypto);
  const registers = [...replayed].map(([register, value]): [number, string] => [
    register,
    toHex(value),
  ]);
  const rtmrs = registers.flatMap(([register, value]): [string, string][] =>
    register >= 1 && register <= 4 ? [[`rtmr${register - 1}`, value]] : [],
  );
  return {
    ...Object.fromEntries(rtmrs),
    events: log.events.length,
    bank,
    registers: Object.fromEntries(registers),
  };
}
