// What evidence needs beside itself to be judged: names of the vendor's documents, made of what its platform is. Evidence
// may name addresses too; those are never read.
import { type Certificate, HoldfastError, toHex } from "@holdfast/core";
import { parseAzureJson } from "../azure/evidence.ts";
import { parseHclReport } from "../azure/hcl-report.ts";
import { isPck, type PckAuthority, parsePckExtension, pckAuthority } from "../intel/pck.ts";
import { platformNameOf } from "../intel/platform-name.ts";
import { certificatesOf } from "../intel/platform-path.ts";
import { parseQuote, type Quote } from "../intel/quote.ts";
import { parseRaTls } from "../ratls/certificate.ts";
import { ENARX_SGX, parseEnarxRequest } from "../ratls/enarx-request.ts";
import { type Recognised, recogniseEvidence } from "../recognise.ts";
import { readSnpEvidence } from "../snp/evidence.ts";
import { isSnpLeaf, parseSnpLeaf } from "../snp/leaf.ts";
import { parseSnpReport, type SnpReport } from "../snp/report.ts";
import { parseTcb, productOf, type SnpProduct, type SnpTcb } from "../snp/tcb.ts";
import type { Endorsements } from "./endorsements.ts";

/** Which of AMD's keys signed a report. */
export type SnpKey = "vcek" | "vlek";

/** A document of a vendor. Hexadecimal is lower-case. */
export type CollateralNeed =
  | { readonly kind: "intel-tcb"; readonly tee: "sgx" | "tdx"; readonly fmspc: string }
  | { readonly kind: "intel-identity"; readonly tee: "sgx" | "tdx" }
  | { readonly kind: "intel-pck-list"; readonly authority: PckAuthority }
  | { readonly kind: "intel-root-list" }
  | {
      /** The certificate of a platform that a quote only names. */
      readonly kind: "intel-pck";
      readonly qeId: string;
      readonly encryptedPpid: string;
      readonly cpuSvn: string;
      readonly pceSvn: string;
      readonly pceId: string;
    }
  | { readonly kind: "amd-chain"; readonly key: SnpKey; readonly product: SnpProduct }
  | { readonly kind: "amd-list"; readonly key: SnpKey; readonly product: SnpProduct }
  | {
      readonly kind: "amd-vcek";
      readonly product: SnpProduct;
      readonly chipId: string;
      readonly tcb: SnpTcb;
    };

const CHIP_MASKED = 2;
const SIGNING_KEY = 2;
/** Turin's chip ids are short; the rest of the field is zero. */
const TURIN_CHIP = 8;
/** Quoting enclaves write who they are in front of a quote's user data. */
const QE_ID = 16;

/** What evidence needs; nothing for kinds that carry all they need, and for what can't be read. */
export function collateralNeeds(
  input: Uint8Array,
  endorsements: Endorsements,
): readonly CollateralNeed[] {
  try {
    return needsOf(recogniseEvidence(input), endorsements.certificates);
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    // The verifier says what is wrong with it.
    return [];
  }
}

function needsOf(
  evidence: Recognised,
  supplied: readonly Certificate[],
): readonly CollateralNeed[] {
  if (evidence.type === "sev-snp") {
    const { report, certificates } = readSnpEvidence(evidence);
    return snpNeeds(report, [...certificates, ...supplied]);
  }
  if (evidence.form === "json") return jsonNeeds(evidence, supplied);
  const { type, bytes } = evidence;
  if (type === "sgx" || type === "tdx") return quoteNeeds(bytes, supplied);
  if (type === "ra-tls") return quoteNeeds(parseRaTls(bytes).quote, supplied);
  if (type !== "enarx-csr") return [];
  const { oid, evidence: inside, carried } = parseEnarxRequest(bytes);
  const known = [...carried.certificates, ...supplied];
  return oid === ENARX_SGX ? quoteNeeds(inside, known) : snpNeeds(inside, known);
}

function jsonNeeds(
  { type, object }: Extract<Recognised, { form: "json" }>,
  supplied: readonly Certificate[],
): readonly CollateralNeed[] {
  if (type !== "azure") return [];
  const azure = parseAzureJson(object);
  const { kind, hardwareReport } = parseHclReport(azure.hclReport);
  const known = [...azure.certificates, ...supplied];
  return kind === "snp"
    ? snpNeeds(hardwareReport, known)
    : quoteNeeds(azure.tdQuote ?? new Uint8Array(), known);
}

function quoteNeeds(input: Uint8Array, supplied: readonly Certificate[]): CollateralNeed[] {
  const quote = parseQuote(input);
  const carried = certificatesOf(quote.certification);
  const known = [...carried, ...supplied];
  const leaf = known.find(isPck);
  if (leaf === undefined) return platformNeeds(quote);
  const tee = quote.body.kind;
  const issuer = known.find(({ subject }) => subject.text === leaf.issuer.text);
  const authority = issuer === undefined ? undefined : pckAuthority(issuer);
  return [
    { kind: "intel-tcb", tee, fmspc: toHex(parsePckExtension(leaf).fmspc) },
    { kind: "intel-identity", tee },
    { kind: "intel-root-list" },
    ...(authority === undefined ? [] : [{ kind: "intel-pck-list", authority } as const]),
  ];
}

/** First of all the certificate: it says which documents there are for its platform. */
function platformNeeds({ certification, userData }: Quote): CollateralNeed[] {
  const { encryptedPpid, cpuSvn, pceSvn, pceId } = platformNameOf(certification) ?? {};
  if (encryptedPpid === undefined || !cpuSvn || !pceSvn || !pceId) return [];
  return [
    {
      kind: "intel-pck",
      qeId: toHex(userData.subarray(0, QE_ID)),
      encryptedPpid: toHex(encryptedPpid),
      cpuSvn: toHex(cpuSvn),
      pceSvn: toHex(pceSvn),
      pceId: toHex(pceId),
    },
  ];
}

function snpNeeds(input: Uint8Array, known: readonly Certificate[]): CollateralNeed[] {
  const report = parseSnpReport(input);
  const product = productNamed(report, known);
  if (product === undefined) return [];
  const key = ((report.keyInfo >> SIGNING_KEY) & 7) === 1 ? "vlek" : "vcek";
  const chip = product === "turin" ? report.chipId.subarray(0, TURIN_CHIP) : report.chipId;
  // A masked chip id names no chip; a VLEK is the provider's to hand out.
  const nameless = key === "vlek" || (report.keyInfo & CHIP_MASKED) !== 0;
  const tcb = parseTcb(report.reportedTcb, product);
  return [
    { kind: "amd-chain", key, product },
    { kind: "amd-list", key, product },
    ...(nameless ? [] : [{ kind: "amd-vcek", product, chipId: toHex(chip), tcb } as const]),
  ];
}

/** Reports before version 3 don't name their processor; their certificate does. */
function productNamed({ cpuid }: SnpReport, known: readonly Certificate[]): SnpProduct | undefined {
  if (cpuid !== undefined) return productOf(cpuid.family, cpuid.model);
  const leaf = known.find(isSnpLeaf);
  return leaf === undefined ? undefined : parseSnpLeaf(leaf).product;
}
