// Certification requests of Enarx keeps: a quote in a requested extension, over the hash of the request's key, with
// collateral beside it.
import {
  type CertificationRequest,
  check,
  type DerNode,
  derChildren,
  expectTag,
  HoldfastError,
  isRequestSigned,
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
import type { IntelRequest } from "../intel/verify.ts";
import { noNonceCheck } from "../judge/bindings.ts";
import { boundCheck, type CarriedClaims, judgeCarried, refusedCarrier } from "./carrier.ts";

/** Extension of SGX evidence. */
export const ENARX_SGX = "1.3.6.1.4.1.58270.1.2";
const MAXIMUM_LISTS = 16;

/** What a request adds to the claims of its quote. */
export interface EnarxClaims {
  readonly oid: string;
  readonly quoteReportData: string;
}

const BINDING: ReadonlySet<string> = new Set(["enarx-csr.signature", "enarx-csr.key"]);

/** A request with what it carries, read but not verified. */
export interface EnarxParts {
  readonly csr: CertificationRequest;
  readonly quote: Uint8Array;
  readonly carried: Endorsements;
}

/** Judges a request, DER; what can't be read is refused. */
export async function verifyEnarxRequest(
  der: Uint8Array,
  request: IntelRequest,
): Promise<Appraisal<CarriedClaims<EnarxClaims>>> {
  let parts: EnarxParts;
  let reportData: Uint8Array;
  try {
    parts = parseEnarxRequest(der);
    reportData = parseQuote(parts.quote).body.report.reportData;
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return refusedCarrier("enarx-csr", thrown.message, request);
  }
  const { csr, quote, carried } = parts;
  const signed = await isRequestSigned(csr, request.crypto);
  const hash = await request.crypto.digest("SHA-256", csr.spki);
  const checks = [
    check("enarx-csr.format", true, "a quote in a requested extension"),
    check(
      "enarx-csr.signature",
      signed,
      signed ? "signed by its own key" : "not signed by its key",
    ),
    boundCheck("enarx-csr.key", reportData, hash, "the request's key"),
    ...noNonceCheck("enarx-csr.nonce", request.nonce),
  ];
  return await judgeCarried(
    {
      type: "enarx-csr",
      quote,
      checks,
      binding: BINDING,
      own: { oid: ENARX_SGX, quoteReportData: toHex(reportData) },
      waived: [],
    },
    { ...request, endorsements: mergeEndorsements(request.endorsements, carried) },
  );
}

/** A request as it stands. */
export function parseEnarxRequest(der: Uint8Array): EnarxParts {
  const csr = parseCertificationRequest(der);
  const extension = csr.extensions.get(ENARX_SGX);
  if (extension === undefined) throw malformed("the request carries no SGX evidence");
  const whole = readDer(extension.value);
  expectTag(whole, TAG.sequence, "evidence");
  const [quote, lists, tcb, ...more] = derChildren(whole);
  if (quote === undefined || more.length > 0) throw malformed("evidence: one to three members");
  expectTag(quote, TAG.octetString, "quote");
  return {
    csr,
    quote: quote.content,
    carried: mergeEndorsements(listsOf(lists), collateralOf(tcb)),
  };
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
