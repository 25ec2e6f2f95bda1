// Runs the samples' command lines, and keeps what they answered for the page about them.
import type { EvidenceCase } from "./evidence-cases.ts";
import { runJson } from "./run.ts";

/** What a command line answered, as far as it is looked at. */
export interface EvidenceAnswer {
  readonly each: EvidenceCase;
  readonly code: number;
  readonly type: string;
  readonly verdict: string;
  readonly debug: boolean | null;
  readonly tcbStatus: string | null;
  readonly advisoryIds: readonly string[];
  readonly claims: Readonly<Record<string, unknown>> | null;
  readonly checks: readonly { id: string; outcome: string; reason: string }[];
  readonly waived: readonly string[];
}

/** Runs one. */
export async function answerCase(each: EvidenceCase): Promise<EvidenceAnswer> {
  const { code, value } = await runJson(["evidence", each.verb, ...each.argv]);
  const { type, verdict, debug, tcbStatus, advisoryIds, claims, checks, waived } =
    value as unknown as Partial<EvidenceAnswer>;
  return {
    each,
    code,
    type: type ?? "none",
    verdict: verdict ?? "shown",
    debug: debug ?? null,
    tcbStatus: tcbStatus ?? null,
    advisoryIds: advisoryIds ?? [],
    claims: claims ?? null,
    checks: checks ?? [],
    waived: waived ?? [],
  };
}
