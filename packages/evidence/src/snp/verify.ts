// Judges SEV-SNP reports: format, signature, path to a trusted root of AMD, revocation, chip and TCB of the key, debug mode,
// privilege level, and what the report is bound to.
import {
  type Certificate,
  type Check,
  check,
  equalBytes,
  notPerformed,
  PATH_CHECKS,
} from "@holdfast/core";
import { type Appraisal, allNotPerformed, appraisalOf } from "../appraisal.ts";
import { EvidenceError } from "../errors.ts";
import {
  expectationChecks,
  noNonceCheck,
  reportDataCheck,
  waivedBindings,
} from "../judge/bindings.ts";
import { hashCollateral } from "../judge/collateral.ts";
import { askingOnce } from "../judge/once.ts";
import { authenticBy, hardwareVector } from "../judge/outcome.ts";
import type { JudgeRequest } from "../judge/request.ts";
import { CRYPTOGRAPHY_FAILED } from "../trust-vector.ts";
import { isSnpDebug, type SnpClaims, snpClaims } from "./claims.ts";
import { isSnpLeaf, parseSnpLeaf, type SnpLeaf } from "./leaf.ts";
import {
  algorithmsCheck,
  chipCheck,
  leafTcbCheck,
  productCheck,
  signingKeyCheck,
} from "./leaf-checks.ts";
import { isVendorRoot, pathOf, revocationCheck } from "./path.ts";
import type { SnpPolicy } from "./policy.ts";
import { parseSnpReport, type SnpReport } from "./report.ts";
import {
  debugCheck,
  demandChecks,
  guestPolicyCheck,
  signatureAlgorithmCheck,
  tcbOrderCheck,
  vmplCheck,
} from "./report-checks.ts";
import { parseTcb, sameTcb } from "./tcb.ts";

/** How to judge a report. */
export interface SnpRequest extends JudgeRequest {
  readonly snp?: SnpPolicy;
}

/** Every check that a report always gets, in the order of the result; demands and expectations come after. */
export const SNP_CHECKS = [
  "snp.format",
  "snp.leaf",
  ...PATH_CHECKS,
  "snp.algorithms",
  "snp.product",
  "snp.revocation",
  "snp.signing-key",
  "snp.signature-algorithm",
  "snp.signature",
  "snp.leaf-tcb",
  "snp.chip-id",
  "snp.tcb-order",
  "snp.debug",
  "snp.policy",
  "snp.vmpl",
  "snp.report-data",
] as const;

/** Without these nothing in the report is more than what somebody wrote. */
const AUTHENTICITY: ReadonlySet<string> = new Set([
  "snp.leaf",
  "path.anchor",
  "path.names",
  "path.signatures",
  "path.ca",
  "path.key-usage",
  "path.path-length",
  "snp.algorithms",
  "snp.product",
  "snp.signing-key",
  "snp.signature-algorithm",
  "snp.signature",
  "snp.leaf-tcb",
  "snp.chip-id",
]);
const TYPE = "sev-snp";

/** Judges a report; unreadable bytes are a refusal too. Never throws for bad evidence. */
export async function verifySnp(
  input: Uint8Array,
  asked: SnpRequest,
): Promise<Appraisal<SnpClaims>> {
  const request = { ...asked, crypto: askingOnce(asked.crypto) };
  let report: SnpReport;
  try {
    report = parseSnpReport(input);
  } catch (thrown) {
    if (!(thrown instanceof EvidenceError)) throw thrown;
    return unjudged(
      request,
      check("snp.format", false, thrown.message),
      "the report can't be read",
    );
  }
  const format = check(
    "snp.format",
    true,
    `report of version ${report.version}, reserved fields zero`,
  );
  const leaf = await findLeaf(report, request);
  if (typeof leaf === "string") return withoutLeaf(report, request, format, leaf);
  return await judge(report, leaf, request, format);
}

async function judge(
  report: SnpReport,
  leaf: SnpLeaf,
  request: SnpRequest,
  format: Check,
): Promise<Appraisal<SnpClaims>> {
  const path = await pathOf(leaf.certificate, request);
  const revocation = await revocationCheck(path, request);
  const demands = request.snp ?? {};
  const made = [
    format,
    check("snp.leaf", true, `${leaf.kind} of ${leaf.productName}`),
    ...path.checks,
    algorithmsCheck(path.chain),
    productCheck(report, leaf, path.chain),
    revocation.check,
    signingKeyCheck(report, leaf),
    signatureAlgorithmCheck(report),
    await signatureCheck(report, leaf.certificate, request),
    leafTcbCheck(report, leaf),
    chipCheck(report, leaf),
    tcbOrderCheck(report, leaf),
    debugCheck(report, request.allowDebug ?? false),
    guestPolicyCheck(report, demands),
    vmplCheck(report, demands),
    reportDataCheck("snp.report-data", report.reportData, request.reportData),
  ];
  const authentic = authenticBy(made, AUTHENTICITY);
  const claims = authentic ? snpClaims(report, leaf) : undefined;
  const checks = [
    ...inOrder(made),
    ...noNonceCheck("snp.nonce", request.nonce),
    ...demandChecks(report, leaf, demands),
    ...expectationChecks(claims, request.expect),
  ];
  const genuine = isVendorRoot(path.anchor);
  const dates = [...path.chain, ...revocation.windows];
  return appraisalOf<SnpClaims>({
    type: TYPE,
    platform: authentic ? (genuine ? "amd-sev-snp" : "simulated-sev-snp") : "unknown",
    simulated: authentic && !genuine,
    checks,
    waived: waivedBindings(request, "snp"),
    at: request.at,
    debug: authentic ? isSnpDebug(report) : undefined,
    claims,
    trustVector: authentic
      ? hardwareVector(checks, { genuine, debug: "snp.debug", measurement: "expect.measurement" })
      : CRYPTOGRAPHY_FAILED,
    collateral: await hashCollateral(
      [...path.chain.map(({ subject, der }) => [subject.text, der] as const), ...revocation.used],
      request.crypto,
    ),
    validFrom: new Date(Math.max(...dates.map(({ notBefore }) => notBefore.getTime()))),
    validUntil: new Date(Math.min(...dates.map(({ notAfter }) => notAfter.getTime()))),
  });
}

/** The leaf that signed, or why there is none. Of several the one whose chip and TCB the report names. */
async function findLeaf(report: SnpReport, request: SnpRequest): Promise<SnpLeaf | string> {
  const candidates = request.endorsements.certificates.filter(isSnpLeaf);
  let fault = "no VCEK or VLEK certificate was supplied";
  let first: SnpLeaf | undefined;
  for (const certificate of candidates) {
    try {
      const leaf = parseSnpLeaf(certificate);
      const sameVersion = sameTcb(leaf.tcb, parseTcb(report.reportedTcb, leaf.product));
      const chip = leaf.hardwareId ?? new Uint8Array();
      if (sameVersion && equalBytes(report.chipId.subarray(0, chip.length), chip)) {
        if (await isReportSigned(report, certificate, request)) return leaf;
      }
      first ??= leaf;
    } catch (thrown) {
      if (!(thrown instanceof EvidenceError)) throw thrown;
      fault = thrown.message;
    }
  }
  return first ?? fault;
}

async function isReportSigned(
  report: SnpReport,
  { spki, key }: Certificate,
  { crypto }: SnpRequest,
): Promise<boolean> {
  if (key.kind !== "ec" || key.curve !== "P-384") return false;
  const scheme = { kind: "ecdsa", curve: "P-384", hash: "SHA-384" } as const;
  return await crypto.verify(scheme, spki, report.signature, report.signedBytes);
}

async function signatureCheck(
  report: SnpReport,
  leaf: Certificate,
  request: SnpRequest,
): Promise<Check> {
  const signed = await isReportSigned(report, leaf, request);
  return check(
    "snp.signature",
    signed,
    signed ? "the leaf's key signed the report" : "the report's signature is wrong",
  );
}

function inOrder(made: readonly Check[]): Check[] {
  const byName = new Map(made.map((each) => [each.name, each]));
  return SNP_CHECKS.map(
    (name) => byName.get(name) ?? notPerformed(name, "an earlier check failed"),
  );
}

/** Without its certificate a report is judged as far as it goes: debug mode refuses all the same. */
function withoutLeaf(
  report: SnpReport,
  request: SnpRequest,
  format: Check,
  why: string,
): Appraisal<SnpClaims> {
  const made = [
    format,
    notPerformed("snp.leaf", why),
    signatureAlgorithmCheck(report),
    debugCheck(report, request.allowDebug ?? false),
    guestPolicyCheck(report, request.snp ?? {}),
    vmplCheck(report, request.snp ?? {}),
    reportDataCheck("snp.report-data", report.reportData, request.reportData),
  ];
  const byName = new Map(made.map((each) => [each.name, each]));
  return appraisalOf<SnpClaims>({
    type: TYPE,
    platform: "unknown",
    simulated: false,
    checks: [
      ...SNP_CHECKS.map((name) => byName.get(name) ?? notPerformed(name, why)),
      ...noNonceCheck("snp.nonce", request.nonce),
      ...expectationChecks(undefined, request.expect),
    ],
    waived: waivedBindings(request, "snp"),
    at: request.at,
    trustVector: CRYPTOGRAPHY_FAILED,
  });
}

function unjudged(request: SnpRequest, first: Check, why: string): Appraisal<SnpClaims> {
  const [, ...rest] = SNP_CHECKS;
  return appraisalOf<SnpClaims>({
    type: TYPE,
    platform: "unknown",
    simulated: false,
    checks: [first, ...allNotPerformed(rest, why)],
    at: request.at,
    trustVector: CRYPTOGRAPHY_FAILED,
  });
}
