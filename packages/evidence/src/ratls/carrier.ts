// Evidence inside a certificate or a certification request: what it is bound to, and the appraisal of both together.
import { type Check, check, concat, equalBytes } from "@holdfast/core";
import { type Appraisal, appraisalOf } from "../appraisal.ts";
import type { IntelClaims } from "../intel/verify.ts";
import { expectationChecks } from "../judge/bindings.ts";
import type { JudgeRequest } from "../judge/request.ts";
import { CRYPTOGRAPHY_FAILED } from "../trust-vector.ts";

/** Claims of the evidence inside, and of what carries it. */
export type CarriedClaims<Own extends object, Inner extends object = IntelClaims> = Inner & Own;

/** What carries evidence, judged by itself. */
export interface Carrier<Own extends object> {
  readonly type: string;
  readonly checks: readonly Check[];
  /** Names of checks without which the evidence says nothing about the key. */
  readonly binding: ReadonlySet<string>;
  readonly own: Own;
  /** Checks that the caller did without. */
  readonly waived: readonly string[];
}

/** A digest, and nothing else, in the report data of evidence. */
export function boundCheck(
  name: string,
  reportData: Uint8Array,
  hash: Uint8Array,
  what: string,
): Check {
  const bound = equalBytes(reportData, concat(hash, new Uint8Array(64 - hash.length)));
  return check(
    name,
    bound,
    bound ? `the evidence is over ${what}` : `the evidence is not over ${what}`,
  );
}

/** Judges the evidence inside and joins both. */
export async function judgeCarried<
  Own extends object,
  Inner extends object,
  Request extends JudgeRequest,
>(
  carrier: Carrier<Own>,
  judge: (request: Request) => Promise<Appraisal<Inner>>,
  request: Request,
): Promise<Appraisal<CarriedClaims<Own, Inner>>> {
  // A nonce is the carrier's, and expectations are about both.
  const { nonce: _, expect, ...rest } = request;
  const inner = await judge(rest as Request);
  const checks = [...carrier.checks, ...inner.checks];
  const bound = carrier.checks.every(
    ({ name, outcome }) => !carrier.binding.has(name) || outcome === "passed",
  );
  const claims =
    bound && inner.claims !== undefined ? { ...inner.claims, ...carrier.own } : undefined;
  const { verdict: __, ...parts } = inner;
  return appraisalOf<CarriedClaims<Own, Inner>>({
    ...parts,
    type: carrier.type,
    checks: [...checks, ...expectationChecks(claims, expect)],
    waived: [...inner.waived, ...carrier.waived],
    claims,
    trustVector: claims === undefined ? CRYPTOGRAPHY_FAILED : inner.trustVector,
  });
}

/** The refusal of a carrier that can't be read. */
export function refusedCarrier<Claims extends object>(
  type: string,
  why: string,
  request: JudgeRequest,
): Appraisal<Claims> {
  return appraisalOf<Claims>({
    type,
    platform: "unknown",
    simulated: false,
    checks: [check(`${type}.format`, false, why)],
    at: request.at,
    trustVector: CRYPTOGRAPHY_FAILED,
  });
}
