// Checks of what evidence is bound to, and of claims that the caller insists on.
import { type Check, check, concat, equalBytes, notPerformed, toHex } from "@holdfast/core";
import type { Expectations, JudgeRequest } from "./request.ts";

const REPORT_DATA = 64;

/** Report data: 64 bytes, of which the caller names the first; the others must be zero. */
export function reportDataCheck(
  name: string,
  found: Uint8Array,
  wanted: Uint8Array | undefined,
): Check {
  if (wanted === undefined) return notPerformed(name, "no report data was asked for");
  const fits = wanted.length > 0 && wanted.length <= Math.max(REPORT_DATA, found.length);
  const padded = concat(wanted, new Uint8Array(Math.max(0, found.length - wanted.length)));
  const equal = fits && equalBytes(found, padded);
  return check(
    name,
    equal,
    equal ? "equals the report data asked for" : `${toHex(found)}, ${toHex(wanted)} expected`,
  );
}

/** A nonce, of exactly the length the caller names. */
export function nonceCheck(
  name: string,
  found: Uint8Array | undefined,
  wanted: Uint8Array | undefined,
): Check {
  if (wanted === undefined) return notPerformed(name, "no nonce was asked for");
  if (found === undefined) return check(name, false, "the evidence carries no nonce");
  const equal = wanted.length > 0 && equalBytes(found, wanted);
  return check(
    name,
    equal,
    equal ? "equals the nonce asked for" : `${toHex(found)}, ${toHex(wanted)} expected`,
  );
}

/** Evidence whose format has no place for a nonce; asking for one must not pass silently. */
export function noNonceCheck(name: string, wanted: Uint8Array | undefined): Check[] {
  return wanted === undefined
    ? []
    : [check(name, false, "this evidence has no nonce of its own: ask for report data instead")];
}

/** A check for each claim that the caller insists on. */
export function expectationChecks(claims: object | undefined, expect?: Expectations): Check[] {
  return [...(expect ?? new Map<string, readonly string[]>())].map(([claim, accepted]) => {
    const name = `expect.${claim}`;
    if (claims === undefined) return notPerformed(name, "the evidence proves no claims");
    const found = claimAt(claims, claim);
    if (found === undefined) return check(name, false, "the evidence makes no such claim");
    const equal = accepted.some((value) => sameClaim(found, value));
    return check(
      name,
      equal,
      equal ? `is ${found}` : `${found}, ${accepted.join(" or ")} expected`,
    );
  });
}

/** Checks that are open only because the caller asked for nothing. */
export function waivedBindings(request: JudgeRequest, area: string): string[] {
  return [
    ...(request.reportData === undefined ? [`${area}.report-data`] : []),
    ...(request.nonce === undefined ? [`${area}.nonce`] : []),
    ...(request.waive ?? []),
  ];
}

type Scalar = string | number | boolean | null;

/** A claim by name; a dot goes into a nested claim: `reportedTcb.snp`, `pcrs.0`. */
function claimAt(claims: object, path: string): Scalar | undefined {
  let at: unknown = claims;
  for (const step of path.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[step];
  }
  return typeof at === "object" && at !== null ? undefined : (at as Scalar);
}

function sameClaim(found: Scalar, wanted: string): boolean {
  if (typeof found === "number") return wanted.trim() !== "" && Number(wanted) === found;
  return String(found).toLowerCase() === wanted.toLowerCase();
}
