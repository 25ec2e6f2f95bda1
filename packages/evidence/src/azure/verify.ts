// Judges the evidence of Azure's confidential virtual machines: the hardware's report, verified as such; the paravisor's
// claims, whose hash it carries; the attestation key in those claims; and the quote of the virtual TPM by that key.
import { type Check, check, equalBytes, HoldfastError, notPerformed, toHex } from "@holdfast/core";
import { type Appraisal, appraisalOf } from "../appraisal.ts";
import { NO_ENDORSEMENTS } from "../endorsements/endorsements.ts";
import { mergeEndorsements } from "../endorsements/read.ts";
import { malformed } from "../errors.ts";
import { parseQuote } from "../intel/quote.ts";
import { type IntelClaims, type IntelRequest, verifyQuote } from "../intel/verify.ts";
import { expectationChecks, reportDataCheck } from "../judge/bindings.ts";
import type { SnpClaims } from "../snp/claims.ts";
import { parseSnpReport } from "../snp/report.ts";
import { type SnpRequest, verifySnp } from "../snp/verify.ts";
import { judgeTpm, type TpmClaims, type TpmRequest } from "../tpm/verify.ts";
import { CRYPTOGRAPHY_FAILED } from "../trust-vector.ts";
import type { AzureEvidence } from "./evidence.ts";
import { type HclReport, parseHclReport } from "./hcl-report.ts";

/** How to judge the evidence of a virtual machine. */
export type AzureRequest = SnpRequest & IntelRequest & TpmRequest;

/** Claims: those of the hardware, and these. */
export type AzureClaims = (SnpClaims | IntelClaims) & {
  readonly tpmNonce: string;
  readonly pcrSelection: string;
  readonly pcrs: Readonly<Record<string, string>>;
  readonly vmUniqueId: string;
  readonly secureBoot: boolean;
  readonly userData: string;
};

/** Where the report data stands in a TDREPORT. */
const TDREPORT_DATA = 128;
const REPORT_DATA = 64;

/** Judges evidence; unreadable evidence is a refusal too. */
export async function verifyAzure(
  evidence: AzureEvidence,
  request: AzureRequest,
): Promise<Appraisal<AzureClaims>> {
  let hcl: HclReport;
  let carried: Uint8Array;
  try {
    hcl = parseHclReport(evidence.hclReport);
    carried = carriedReportData(hcl, evidence);
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return unreadable(thrown.message, request);
  }
  const hardware = await verifyHardware(hcl, evidence, request);
  const tpm = await judgeTpm(evidence.tpm, request, hcl.attestationKey);
  const binding = await bindingCheck(hcl, carried, request);
  const userData =
    request.reportData === undefined
      ? notPerformed("azure.user-data", "no user data was asked for")
      : reportDataCheck("azure.user-data", userDataOf(hcl), request.reportData);
  const made: Check[] = [
    check(
      "azure.format",
      true,
      `evidence of version ${evidence.version}, ${hcl.kind.toUpperCase()}`,
    ),
    // The hardware's own report data is the paravisor's, which is judged as azure.binding.
    ...hardware.checks.filter(({ name }) => !OWN_REPORT_DATA.has(name)),
    binding,
    ...tpm.checks,
    userData,
  ];
  const proven = hardware.claims !== undefined && tpm.claims !== undefined;
  const authentic = proven && binding.outcome === "passed";
  const claims = authentic ? azureClaims(hardware.claims, tpm.claims, hcl) : undefined;
  return appraisalOf<AzureClaims>({
    type: `azure-${hcl.kind}`,
    platform: authentic ? `azure-${hardware.platform}` : "unknown",
    simulated: hardware.simulated,
    checks: [...made, ...expectationChecks(claims, request.expect)],
    waived: [
      ...(request.reportData === undefined ? ["azure.user-data"] : []),
      ...(request.nonce === undefined ? ["tpm.nonce"] : []),
      ...(request.waive ?? []),
    ],
    at: request.at,
    debug: authentic ? hardware.debug : undefined,
    claims,
    trustVector: authentic ? hardware.trustVector : CRYPTOGRAPHY_FAILED,
    collateral: hardware.collateral,
    tcbStatus: hardware.tcbStatus,
    advisoryIds: hardware.advisoryIds,
    validFrom: hardware.validFrom,
    validUntil: hardware.validUntil,
  });
}

const OWN_REPORT_DATA: ReadonlySet<string> = new Set(["snp.report-data", "quote.report-data"]);

async function verifyHardware(
  hcl: HclReport,
  evidence: AzureEvidence,
  request: AzureRequest,
): Promise<Appraisal<SnpClaims | IntelClaims>> {
  const { nonce: _, reportData: __, expect: ___, ...rest } = request;
  const carried = { ...NO_ENDORSEMENTS, certificates: evidence.certificates };
  const endorsements = mergeEndorsements(request.endorsements, carried);
  return hcl.kind === "snp"
    ? await verifySnp(hcl.hardwareReport, { ...rest, endorsements })
    : await verifyQuote(evidence.tdQuote ?? new Uint8Array(), { ...rest, endorsements });
}

/** The report data of the hardware; of TDX that of the quote, which must be the TDREPORT's. */
function carriedReportData(hcl: HclReport, { tdQuote }: AzureEvidence): Uint8Array {
  if (hcl.kind === "snp") return parseSnpReport(hcl.hardwareReport).reportData;
  if (tdQuote === undefined) throw malformed("Azure evidence: a TDX machine without TD quote");
  const { body } = parseQuote(tdQuote);
  if (body.kind !== "tdx") throw malformed("Azure evidence: the quote is not of a TD");
  const local = hcl.hardwareReport.subarray(TDREPORT_DATA, TDREPORT_DATA + REPORT_DATA);
  if (!equalBytes(local, body.report.reportData)) {
    throw malformed("Azure evidence: TDREPORT and TD quote carry different report data");
  }
  return body.report.reportData;
}

/** The hardware's report carries the hash of the paravisor's claims, and nothing else. */
async function bindingCheck(
  { claimsBytes }: HclReport,
  carried: Uint8Array,
  { crypto }: AzureRequest,
): Promise<Check> {
  const hash = await crypto.digest("SHA-256", claimsBytes);
  return {
    ...reportDataCheck("azure.binding", carried, hash),
    detail: bindingDetail(carried, hash),
  };
}

function bindingDetail(carried: Uint8Array, hash: Uint8Array): string {
  return equalBytes(carried.subarray(0, hash.length), hash)
    ? "the hardware's report is over the paravisor's claims"
    : `report data ${toHex(carried)}, hash of the claims ${toHex(hash)}`;
}

function userDataOf({ userData }: HclReport): Uint8Array {
  return /^(?:[0-9a-f]{2})*$/.test(userData) ? Uint8Array.fromHex(userData) : new Uint8Array();
}

/** Claims of both as one. */
export function azureClaims(
  hardware: SnpClaims | IntelClaims,
  tpm: TpmClaims,
  { vmUniqueId, secureBoot, userData }: HclReport,
): AzureClaims {
  return {
    ...hardware,
    tpmNonce: tpm.nonce,
    pcrSelection: tpm.pcrSelection,
    pcrs: tpm.pcrs,
    vmUniqueId,
    secureBoot,
    userData,
  };
}

function unreadable(why: string, request: AzureRequest): Appraisal<AzureClaims> {
  return appraisalOf<AzureClaims>({
    type: "azure",
    platform: "unknown",
    simulated: false,
    checks: [
      check("azure.format", false, why),
      notPerformed("azure.binding", "the evidence can't be read"),
    ],
    at: request.at,
    trustVector: CRYPTOGRAPHY_FAILED,
  });
}
