// Certification requests of Enarx keeps: an SGX quote or an SNP report in a requested extension, over the hash of the
// request's key, with certificates, revocation lists and collateral beside it.
import {
  type CertificationRequest,
  check,
  type DerNode,
  derChildren,
  expectTag,
  HoldfastError,
  isRequestSigned,
  parseCertificate,
  parseCertificationRequest,
  parseRevocationList,
  readDer,
  TAG,
  toHex,
  toText,
} from "@holdfast/core";
import type { Appraisal } from "../appraisal.ts";
import { type Endorsements, NO_ENDORSEMENTS } from "../endorsements/endorsements.ts";
import { mergeEndorsements, readDerEndorsement } from "../endorsements/read.ts";
import { readJsonEndorsement } from "../endorsements/read-json.ts";
import { malformed } from "../errors.ts";
import { parseQuote } from "../intel/quote.ts";
import { type IntelClaims, type IntelRequest, verifyQuote } from "../intel/verify.ts";
import { noNonceCheck } from "../judge/bindings.ts";
import type { SnpClaims } from "../snp/claims.ts";
import { parseSnpReport } from "../snp/report.ts";
import { type SnpRequest, verifySnp } from "../snp/verify.ts";
import { boundCheck, type CarriedClaims, judgeCarried, refusedCarrier } from "./carrier.ts";

/** Extension of SGX evidence. */
export const ENARX_SGX = "1.3.6.1.4.1.58270.1.2";
/** Extension of SEV-SNP evidence. */
export const ENARX_SNP = "1.3.6.1.4.1.58270.1.3";
const MAXIMUM_LISTS = 16;

/** What a request adds to the claims of its evidence. */
export interface EnarxClaims {
  readonly oid: string;
  readonly quoteReportData: string;
}

/** How to judge a request, whatever it carries. */
export interface EnarxRequest extends IntelRequest, SnpRequest {}

/** The result of judging a request. */
export type EnarxAppraisal = Appraisal<
  CarriedClaims<EnarxClaims, IntelClaims> | CarriedClaims<EnarxClaims, SnpClaims>
>;

const BINDING: ReadonlySet<string> = new Set(["enarx-csr.signature", "enarx-csr.key"]);

/** A request with what it carries, read but not verified. */
export interface EnarxParts {
  readonly csr: CertificationRequest;
  /** Extension that the evidence was in. */
  readonly oid: typeof ENARX_SGX | typeof ENARX_SNP;
  /** A quote or a report. */
  readonly evidence: Uint8Array;
  readonly carried: Endorsements;
}

/** Judges a request, DER; what can't be read is refused. */
export async function verifyEnarxRequest(
  der: Uint8Array,
  request: EnarxRequest,
): Promise<EnarxAppraisal> {
  let parts: EnarxParts;
  let reportData: Uint8Array;
  try {
    parts = parseEnarxRequest(der);
    reportData = reportDataOf(parts);
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return refusedCarrier("enarx-csr", thrown.message, request);
  }
  const { csr, oid, evidence, carried } = parts;
  const isSgx = oid === ENARX_SGX;
  const signed = await isRequestSigned(csr, request.crypto);
  const hash = await request.crypto.digest(isSgx ? "SHA-256" : "SHA-384", csr.spki);
  const carrier = {
    type: "enarx-csr",
    checks: [
      check("enarx-csr.format", true, `a ${isSgx ? "quote" : "report"} in a requested extension`),
      check(
        "enarx-csr.signature",
        signed,
        signed ? "signed by its own key" : "not signed by its key",
      ),
      boundCheck("enarx-csr.key", reportData, hash, "the request's key"),
      ...noNonceCheck("enarx-csr.nonce", request.nonce),
    ],
    binding: BINDING,
    own: { oid, quoteReportData: toHex(reportData) },
    waived: [],
  };
  const asked = { ...request, endorsements: mergeEndorsements(request.endorsements, carried) };
  return isSgx
    ? await judgeCarried(carrier, async (inner) => await verifyQuote(evidence, inner), asked)
    : await judgeCarried(carrier, async (inner) => await verifySnp(evidence, inner), asked);
}

/**
 * A request as it stands.
 * @throws EvidenceError EVIDENCE_MALFORMED when it carries no evidence, or evidence of both kinds
 */
export function parseEnarxRequest(der: Uint8Array): EnarxParts {
  const csr = parseCertificationRequest(der);
  const sgx = csr.extensions.get(ENARX_SGX);
  const snp = csr.extensions.get(ENARX_SNP);
  if (sgx !== undefined && snp !== undefined) throw malformed("the request carries two evidences");
  if (sgx !== undefined) return { csr, oid: ENARX_SGX, ...sgxEvidence(membersOf(sgx.value)) };
  if (snp !== undefined) return { csr, oid: ENARX_SNP, ...snpEvidence(membersOf(snp.value)) };
  throw malformed("the request carries no evidence");
}

function membersOf(value: Uint8Array): readonly DerNode[] {
  const whole = readDer(value);
  expectTag(whole, TAG.sequence, "evidence");
  return derChildren(whole);
}

type Carried = Pick<EnarxParts, "evidence" | "carried">;

function sgxEvidence([quote, lists, tcb, ...more]: readonly DerNode[]): Carried {
  if (quote === undefined || more.length > 0) throw malformed("evidence: one to three members");
  expectTag(quote, TAG.octetString, "quote");
  return {
    evidence: quote.content,
    carried: mergeEndorsements(listsOf(lists), collateralOf(tcb)),
  };
}

/** The key's certificate with revocation lists, and the report. */
function snpEvidence([endorsed, report, ...more]: readonly DerNode[]): Carried {
  if (endorsed === undefined || report === undefined || more.length > 0) {
    throw malformed("evidence: two members");
  }
  expectTag(endorsed, TAG.sequence, "certificates");
  expectTag(report, TAG.octetString, "report");
  const [leaf, lists, ...others] = derChildren(endorsed);
  if (leaf === undefined || others.length > 0) throw malformed("certificates: one or two members");
  const certificates = [parseCertificate(leaf.bytes)];
  return {
    evidence: report.content,
    carried: mergeEndorsements({ ...NO_ENDORSEMENTS, certificates }, listsOf(lists)),
  };
}

function reportDataOf({ oid, evidence }: EnarxParts): Uint8Array {
  return oid === ENARX_SGX
    ? parseQuote(evidence).body.report.reportData
    : parseSnpReport(evidence).reportData;
}

/** Revocation lists, each after the address it was fetched from, which is not asked again. */
function listsOf(node: DerNode | undefined): Endorsements {
  if (node === undefined) return NO_ENDORSEMENTS;
  const [list] = derChildren(node);
  const entries = list === undefined ? [] : derChildren(list);
  if (entries.length > MAXIMUM_LISTS) throw malformed(`${entries.length} revocation lists`);
  const revocationLists = entries.map((entry) => {
    const [, crl] = derChildren(entry);
    if (crl === undefined) throw malformed("a revocation list is missing");
    return parseRevocationList(crl.bytes);
  });
  return { ...NO_ENDORSEMENTS, revocationLists };
}

/** The chain of the signer, and the answer of the provisioning service with its signature. */
function collateralOf(node: DerNode | undefined): Endorsements {
  if (node === undefined) return NO_ENDORSEMENTS;
  const [chain, answer] = derChildren(node);
  if (chain === undefined || answer === undefined) throw malformed("TCB information is incomplete");
  expectTag(answer, TAG.octetString, "TCB information");
  const certificates = derChildren(chain).flatMap(
    ({ bytes }) => readDerEndorsement(bytes).certificates ?? [],
  );
  const { intel } = readJsonEndorsement(toText(answer.content));
  return { ...NO_ENDORSEMENTS, certificates, intel: intel ?? [] };
}
