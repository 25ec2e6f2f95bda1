// The one entry for evidence of every kind: recognised by content, judged by the verifier of its kind, one result.
import { type Certificate, check, HoldfastError, messageOf } from "@holdfast/core";
import { type Appraisal, appraisalOf } from "./appraisal.ts";
import { verifyCca } from "./arm/cca.ts";
import { type ArmRequest, verifyPsa } from "./arm/psa.ts";
import { parseAzureJson } from "./azure/evidence.ts";
import { type AzureRequest, verifyAzure } from "./azure/verify.ts";
import { verifyEar } from "./ear/verify.ts";
import { NO_ENDORSEMENTS } from "./endorsements/endorsements.ts";
import { mergeEndorsements } from "./endorsements/read.ts";
import { EvidenceError, malformed } from "./errors.ts";
import { verifyEventLog } from "./eventlog/verify.ts";
import { verifyQuote } from "./intel/verify.ts";
import { expectationChecks } from "./judge/bindings.ts";
import { awsNitroRoot } from "./nitro/root.ts";
import { verifyNitro } from "./nitro/verify.ts";
import { readGpuEvidence } from "./nvidia/json-evidence.ts";
import { verifyGpu } from "./nvidia/verify.ts";
import { verifyRaTls } from "./ratls/certificate.ts";
import { verifyEnarxRequest } from "./ratls/enarx-request.ts";
import { type EvidenceType, type Recognised, recogniseEvidence } from "./recognise.ts";
import { readSnpEvidence } from "./snp/evidence.ts";
import { verifySnp } from "./snp/verify.ts";
import { assembleTpm } from "./tpm/companions.ts";
import { parseTpmJson } from "./tpm/evidence.ts";
import { verifyTpm } from "./tpm/verify.ts";
import { CRYPTOGRAPHY_FAILED } from "./trust-vector.ts";

/** How to judge evidence of any kind. */
export interface EvidenceRequest extends AzureRequest, ArmRequest {
  /** What the evidence must be; other kinds are refused. Absent: whatever it is. */
  readonly type?: EvidenceType;
  /** For audits: judge a document that names its time at that time. Only Nitro documents do. */
  readonly atOwnTime?: boolean;
}

/** Judges evidence. Never throws for bad evidence: what can't be read is refused. */
export async function verifyEvidence(
  input: Uint8Array,
  request: EvidenceRequest,
): Promise<Appraisal> {
  try {
    const recognised = recogniseEvidence(input);
    if (request.type !== undefined && recognised.type !== request.type) {
      throw malformed(`this is ${recognised.type} evidence, ${request.type} was expected`);
    }
    return await VERIFIERS[recognised.type](recognised, request);
  } catch (thrown) {
    // Keys and certificates inside evidence fail with errors of their own.
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return refusal(thrown, request);
  }
}

type Verifier = (evidence: Recognised, request: EvidenceRequest) => Promise<Appraisal>;

const VERIFIERS: Readonly<Record<EvidenceType, Verifier>> = {
  nitro: nitro,
  "sev-snp": snp,
  sgx: async (evidence, request) => await verifyQuote(binary(evidence), request),
  tdx: async (evidence, request) => await verifyQuote(binary(evidence), request),
  psa: async (evidence, request) => await verifyPsa(binary(evidence), request),
  cca: async (evidence, request) => await verifyCca(binary(evidence), request),
  "nvidia-gpu": gpu,
  "event-log": async (evidence, request) => await verifyEventLog(binary(evidence), request),
  "ra-tls": async (evidence, request) => await verifyRaTls(binary(evidence), request),
  "enarx-csr": async (evidence, request) => await verifyEnarxRequest(binary(evidence), request),
  ear: async (evidence, request) => await verifyEar(binary(evidence), request),
  azure: async (evidence, request) => await verifyAzure(parseAzureJson(json(evidence)), request),
  tpm: async (evidence, request) =>
    evidence.form === "json"
      ? await verifyTpm(parseTpmJson(evidence.object), request)
      : await verifyTpm(assembleTpm(evidence.bytes, request.endorsements), request),
};

async function nitro(evidence: Recognised, request: EvidenceRequest): Promise<Appraisal> {
  const appraisal = await verifyNitro(binary(evidence), {
    anchors: [awsNitroRoot(), ...(request.anchors ?? [])],
    at: request.atOwnTime ? "document" : request.at,
    crypto: request.crypto,
    nonce: request.nonce ?? "waived",
    userData: request.reportData ?? "waived",
    // Expectations name PCRs as claims: nonZeroPcrs.0.
    pcrs: "waived",
    allowDebug: request.allowDebug ?? false,
  });
  const { verdict: _, ...parts } = appraisal;
  return appraisalOf({
    ...parts,
    checks: [...appraisal.checks, ...expectationChecks(appraisal.claims, request.expect)],
    waived: [...appraisal.waived, ...(request.waive ?? [])],
  });
}

async function snp(evidence: Recognised, request: EvidenceRequest): Promise<Appraisal> {
  const { report, certificates } = readSnpEvidence(evidence);
  return await verifySnp(report, withCertificates(request, certificates));
}

async function gpu(evidence: Recognised, request: EvidenceRequest): Promise<Appraisal> {
  const { report, certificates } = readGpuEvidence(evidence);
  return await verifyGpu(report, withCertificates(request, certificates));
}

/** A request with the certificates that evidence brings along: data to verify, as all certificates are. */
function withCertificates(
  request: EvidenceRequest,
  certificates: readonly Certificate[],
): EvidenceRequest {
  const carried = { ...NO_ENDORSEMENTS, certificates };
  return { ...request, endorsements: mergeEndorsements(request.endorsements, carried) };
}

function binary(evidence: Recognised): Uint8Array {
  if (evidence.form === "binary") return evidence.bytes;
  throw malformed(`${evidence.type}: binary evidence expected`);
}

function json(evidence: Recognised): Readonly<Record<string, unknown>> {
  if (evidence.form === "json") return evidence.object;
  throw malformed(`${evidence.type}: JSON evidence expected`);
}

function refusal(thrown: HoldfastError, request: EvidenceRequest): Appraisal {
  const unknown = thrown instanceof EvidenceError && thrown.code === "EVIDENCE_UNKNOWN";
  return appraisalOf({
    type: request.type ?? "unknown",
    platform: "unknown",
    simulated: false,
    checks: [check(unknown ? "evidence.recognised" : "evidence.format", false, messageOf(thrown))],
    at: request.at,
    trustVector: CRYPTOGRAPHY_FAILED,
  });
}
