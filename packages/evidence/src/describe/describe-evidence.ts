// What evidence says, as it stands: the claims under the very names of a verdict's, but proven by nothing. For people who
// want to look inside before they judge, and for refusals that shall show what was refused.
import { type Certificate, type CryptoPort, toHex } from "@holdfast/core";
import { parseCcaToken } from "../arm/cca.ts";
import { parsePsaToken } from "../arm/psa.ts";
import { parseAzureJson } from "../azure/evidence.ts";
import { parseHclReport } from "../azure/hcl-report.ts";
import { azureClaims } from "../azure/verify.ts";
import { parseEarToken } from "../ear/token.ts";
import { earTokenClaims } from "../ear/verify.ts";
import { type Endorsements, NO_ENDORSEMENTS } from "../endorsements/endorsements.ts";
import { parseEventLog } from "../eventlog/event-log.ts";
import { eventLogClaims } from "../eventlog/verify.ts";
import { isNitroDebug, nitroClaims } from "../nitro/claims.ts";
import { parseNitroDocument } from "../nitro/document.ts";
import { readGpuEvidence } from "../nvidia/json-evidence.ts";
import { parseGpuReport } from "../nvidia/report.ts";
import { gpuClaims } from "../nvidia/verify.ts";
import { ECDSA_QUOTE, parseRaTls, TAGGED_EVIDENCE } from "../ratls/certificate.ts";
import { ENARX_SGX, parseEnarxRequest } from "../ratls/enarx-request.ts";
import { type EvidenceType, type Recognised, recogniseEvidence } from "../recognise.ts";
import { readSnpEvidence } from "../snp/evidence.ts";
import { parseSnpReport } from "../snp/report.ts";
import { parseTpmQuote } from "../tpm/attest.ts";
import { assembleTpm } from "../tpm/companions.ts";
import { parseTpmJson, type TpmEvidence } from "../tpm/evidence.ts";
import { nameOf } from "../tpm/public-area.ts";
import { type TpmClaims, tpmClaims } from "../tpm/verify.ts";
import { describeQuote } from "./describe-quote.ts";
import { describeSnp } from "./describe-snp.ts";

/** What evidence says. Nothing of it is proven. */
export interface Description {
  readonly type: EvidenceType;
  readonly claims: object;
  /** Whether it says that somebody may look inside; undefined when it says nothing of the kind. */
  readonly debug: boolean | undefined;
  /** Names of the certificates it carries, leaf first. */
  readonly certificates: readonly string[];
}

/** What a description may rest on besides the evidence. */
export interface DescribeOptions {
  readonly crypto: CryptoPort;
  /** For evidence in several files, and for the product line of a report that does not name it. */
  readonly endorsements?: Endorsements;
}

/**
 * Reads evidence of any kind.
 * @throws EvidenceError and other HoldfastErrors when it is none, or can't be read
 */
export async function describeEvidence(
  input: Uint8Array,
  options: DescribeOptions,
): Promise<Description> {
  const recognised = recogniseEvidence(input);
  const { claims, certificates } = await DESCRIBERS[recognised.type](recognised, options);
  const { debug } = claims as { readonly debug?: unknown };
  return {
    type: recognised.type,
    claims,
    debug: typeof debug === "boolean" ? debug : undefined,
    certificates: (certificates ?? []).map(({ subject }) => subject.text),
  };
}

interface Said {
  readonly claims: object;
  readonly certificates?: readonly Certificate[];
}

type Describer = (evidence: Recognised, options: DescribeOptions) => Said | Promise<Said>;

const DESCRIBERS: Readonly<Record<EvidenceType, Describer>> = {
  nitro: (evidence) => {
    const document = parseNitroDocument(bytesOf(evidence));
    return {
      claims: { ...nitroClaims(document), debug: isNitroDebug(document) },
      certificates: [document.leaf, ...document.bundle.toReversed()],
    };
  },
  "sev-snp": (evidence, { endorsements }) => {
    const { report, certificates } = readSnpEvidence(evidence);
    const known = [...certificates, ...(endorsements?.certificates ?? [])];
    return { claims: describeSnp(parseSnpReport(report), known), certificates };
  },
  sgx: (evidence) => describeQuote(bytesOf(evidence)),
  tdx: (evidence) => describeQuote(bytesOf(evidence)),
  psa: (evidence) => ({ claims: parsePsaToken(bytesOf(evidence)).claims }),
  cca: (evidence) => ({ claims: parseCcaToken(bytesOf(evidence)).claims }),
  "nvidia-gpu": (evidence) => {
    const { report, certificates } = readGpuEvidence(evidence);
    return { claims: gpuClaims(parseGpuReport(report), undefined), certificates };
  },
  "event-log": async (evidence, options) => ({
    claims: await eventLogClaims(parseEventLog(bytesOf(evidence)), options),
  }),
  "ra-tls": (evidence) => {
    const { certificate, quote, hash } = parseRaTls(bytesOf(evidence));
    const said = describeQuote(quote);
    return {
      claims: {
        ...said.claims,
        oid: TAGGED_EVIDENCE,
        cborTag: Number(ECDSA_QUOTE),
        quoteReportData: said.claims.reportData,
        pubkeyHash: `${hash.label} ${toHex(hash.value)}`,
      },
      certificates: [certificate, ...said.certificates],
    };
  },
  "enarx-csr": (evidence) => {
    const { oid, evidence: inside, carried } = parseEnarxRequest(bytesOf(evidence));
    const certificates = carried.certificates;
    const said =
      oid === ENARX_SGX
        ? describeQuote(inside)
        : { claims: describeSnp(parseSnpReport(inside), certificates), certificates };
    const quoteReportData = said.claims.reportData;
    return { ...said, claims: { ...said.claims, oid, quoteReportData } };
  },
  ear: (evidence) => ({ claims: earTokenClaims(parseEarToken(bytesOf(evidence))) }),
  azure: describeAzure,
  tpm: async (evidence, options) => ({
    claims: await describeTpm(
      evidence.form === "json"
        ? parseTpmJson(evidence.object)
        : quoteAndCompanions(evidence.bytes, options),
      options,
    ),
  }),
};

async function describeAzure(evidence: Recognised, options: DescribeOptions): Promise<Said> {
  const azure = parseAzureJson(evidence.form === "json" ? evidence.object : {});
  const hcl = parseHclReport(azure.hclReport);
  const tpm = await describeTpm(azure.tpm, options);
  const known = [...azure.certificates, ...(options.endorsements?.certificates ?? [])];
  const hardware =
    hcl.kind === "snp"
      ? { claims: describeSnp(parseSnpReport(hcl.hardwareReport), known) }
      : describeQuote(azure.tdQuote ?? new Uint8Array());
  return {
    claims: azureClaims(hardware.claims, tpm, hcl),
    certificates: azure.certificates,
  };
}

type TpmParts = Pick<TpmEvidence, "quote" | "pcrs" | "area">;

async function describeTpm(
  { quote, pcrs, area }: TpmParts,
  { crypto }: DescribeOptions,
): Promise<TpmClaims> {
  const akName = area === undefined ? undefined : toHex(await nameOf(area, crypto));
  return tpmClaims(parseTpmQuote(quote), pcrs, akName);
}

/** A quote says something without the files beside it too, though no PCR values. */
function quoteAndCompanions(quote: Uint8Array, { endorsements }: DescribeOptions): TpmParts {
  const { parts } = endorsements ?? NO_ENDORSEMENTS;
  if (parts.length > 0) return assembleTpm(quote, { ...NO_ENDORSEMENTS, parts });
  return { quote, pcrs: new Map() };
}

function bytesOf(evidence: Recognised): Uint8Array {
  return evidence.form === "binary" ? evidence.bytes : new Uint8Array();
}
