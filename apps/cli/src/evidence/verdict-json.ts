// A verdict as the one JSON object of `evidence verify --json`.
import type { JudgedFile } from "./judge-file.ts";

/** The object. What is unknown is null. */
export function verdictJson({ appraisal, description, endorsements }: JudgedFile): object {
  const { claims } = appraisal;
  return {
    ok: appraisal.verdict === "affirmed",
    type: appraisal.type,
    verdict: appraisal.verdict,
    platform: appraisal.platform,
    simulated: appraisal.simulated,
    debug: appraisal.debug ?? description?.debug ?? null,
    tcbStatus: appraisal.tcbStatus ?? null,
    advisoryIds: appraisal.advisoryIds,
    // Who refuses wants to see what was refused; claimsProven says whether anything stands behind it.
    claims: claims ?? description?.claims ?? null,
    claimsProven: claims !== undefined && appraisal.platform !== "unknown",
    checks: appraisal.checks.map(({ name, outcome, detail }) => ({
      id: name,
      outcome,
      reason: detail,
    })),
    waived: appraisal.waived,
    trustVector: appraisal.trustVector,
    collateral: appraisal.collateral,
    ignored: endorsements.ignored,
    at: appraisal.at,
    validFrom: appraisal.validFrom ?? null,
    validUntil: appraisal.validUntil ?? null,
  };
}
