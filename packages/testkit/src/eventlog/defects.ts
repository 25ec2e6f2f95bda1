// Event logs beside the quote of their TD, with exactly one thing wrong, each with the checks that must fail.
import { createHash } from "node:crypto";
import type { IntelRequest } from "@holdfast/evidence";
import { type Defect, defectsOf } from "../defect.ts";
import { type IntelWorld, newIntelEvidence } from "../intel/world.ts";
import { encodeEventLog, type LoggedEvent } from "./log.ts";

/** What to change of a log; the registers of the TD stay those of the right one. */
export interface EventLogChanges {
  readonly events?: readonly LoggedEvent[];
  readonly log?: (log: Uint8Array) => Uint8Array;
  /** Measures into another register of the TD, of which the log says nothing. */
  readonly unexplained?: boolean;
}

const digest = new Uint8Array(48).fill(9);
const RTMR0 = 48 + 328;
const RTMR3 = 48 + 472;

/** A quote and its log, with the request under which both are affirmed when nothing is changed. */
export async function newLoggedEvidence(
  world: IntelWorld,
  changes: EventLogChanges = {},
): Promise<{ evidence: Uint8Array; request: IntelRequest }> {
  const replayed = createHash("sha384").update(new Uint8Array(48)).update(digest).digest();
  const { evidence, request } = await newIntelEvidence(world, {
    beforeSigning: (signed) => {
      signed.set(replayed, RTMR0);
      if (changes.unexplained) signed.set(digest, RTMR3);
    },
  });
  const log = encodeEventLog(changes.events ?? [{ register: 1, digest }]);
  const parts = [{ name: "log", bytes: changes.log?.(log) ?? log }];
  return {
    evidence,
    request: { ...request, endorsements: { ...request.endorsements, parts } },
  };
}

/** Every defect. */
export const EVENT_LOG_DEFECTS: readonly Defect<EventLogChanges, IntelRequest>[] = defectsOf<
  EventLogChanges,
  IntelRequest
>([
  ["cut short", ["event-log.format"], { log: (log) => log.subarray(0, -2) }],
  [
    "a log of another boot",
    ["event-log.1"],
    { events: [{ register: 1, digest: digest.map((b) => b ^ 1) }] },
  ],
  [
    "a measurement that the TD did not make",
    ["event-log.2"],
    {
      events: [
        { register: 1, digest },
        { register: 2, digest },
      ],
    },
  ],
]);

/** Logs that leave one question open. */
export const EVENT_LOG_OPEN: readonly Defect<EventLogChanges, IntelRequest>[] = defectsOf<
  EventLogChanges,
  IntelRequest
>([
  ["a register that the log does not explain", [], { unexplained: true }],
  [
    "a register that no TD has",
    [],
    {
      events: [
        { register: 1, digest },
        { register: 7, digest },
      ],
    },
  ],
]);
