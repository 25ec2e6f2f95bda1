// Every type of evidence with a sample that is in order and samples of one defect each, ready to be judged again and again.
import { type Check, webCrypto } from "@holdfast/core";
import {
  type Appraisal,
  type AzureRequest,
  CCA_CHECKS,
  EAR_CHECKS,
  GPU_CHECKS,
  type IntelRequest,
  NITRO_CHECKS,
  PSA_CHECKS,
  SEV_CHAIN_CHECKS,
  SNP_CHECKS,
  type SnpRequest,
  TPM_CHECKS,
  type Verdict,
  verifyAzure,
  verifyCca,
  verifyEar,
  verifyEnarxRequest,
  verifyGpu,
  verifyNitro,
  verifyPsa,
  verifyQuote,
  verifyRaTls,
  verifySevChain,
  verifySnp,
  verifyTpm,
} from "@holdfast/evidence";
import {
  AZURE_DEFECTS,
  type AzureChanges,
  CCA_DEFECTS,
  CHAIN_DEFECTS,
  CONTENT_DEFECTS,
  type Defect,
  EAR_DEFECTS,
  EAR_OPEN,
  ENARX_DEFECTS,
  ENARX_SNP_DEFECTS,
  type EnarxChanges,
  type EnarxSnpChanges,
  EVENT_LOG_DEFECTS,
  EVENT_LOG_OPEN,
  FORMAT_DEFECTS,
  GPU_DEFECTS,
  INTEL_DEFECTS,
  INTEL_OPEN,
  type IntelChanges,
  newAzureEvidence,
  newCcaToken,
  newEarToken,
  newEnarxRequest,
  newEnarxSnpRequest,
  newGpuEvidence,
  newIntelEvidence,
  newIntelWorld,
  newLoggedEvidence,
  newNitroDocument,
  newNitroWorld,
  newPsaToken,
  newRaTlsCertificate,
  newSevChain,
  newSnpEvidence,
  newSnpWorld,
  newTpmEvidence,
  PSA_DEFECTS,
  RA_TLS_DEFECTS,
  type RaTlsChanges,
  SEV_CHAIN_DEFECTS,
  type SevChanges,
  SNP_DEFECTS,
  type SnpChanges,
  TPM_DEFECTS,
  type TpmChanges,
} from "@holdfast/testkit";

/** What of an appraisal shows that a check counts. */
export type Judged = Pick<Appraisal, "checks" | "verdict" | "waived">;

/** A sample; `judge` gives the same appraisal each time, as long as the verifier is the same. */
export interface Sample {
  readonly name: string;
  /** The checks that must fail; none when the sample is in order, or when it leaves a check open. */
  readonly fails: readonly string[];
  readonly judge: () => Promise<Judged>;
}

/** The samples of a type. */
export interface Suite {
  readonly type: string;
  /** Checks that are named even when no sample shows them. */
  readonly names: readonly string[];
  readonly samples: readonly Sample[];
}

interface Made<Evidence, Request> {
  readonly evidence: Evidence;
  readonly request: Request;
}

/** Makes the samples of every type. */
export async function evidenceSuites(): Promise<Suite[]> {
  const [intel, snp] = [await newIntelWorld(), await newSnpWorld()];
  const quotes = [...INTEL_DEFECTS, ...INTEL_OPEN];
  return [
    await nitroSuite(),
    await suite("sev-snp", SNP_CHECKS, verifySnp, (c) => newSnpEvidence(snp, c), SNP_DEFECTS),
    both(
      await suite("sgx, tdx", [], verifyQuote, (c) => newIntelEvidence(intel, c), quotes),
      await suite("event log", [], verifyQuote, (c) => newLoggedEvidence(intel, c), [
        ...EVENT_LOG_DEFECTS,
        ...EVENT_LOG_OPEN,
      ]),
    ),
    await suite("azure", [], verifyAzure, (c) => newAzureEvidence(snp, c), [
      ...AZURE_DEFECTS,
      ...within<AzureChanges, AzureRequest, SnpChanges>(SNP_DEFECTS, (c) => ({ snp: c })),
      ...within<AzureChanges, AzureRequest, TpmChanges>(TPM_DEFECTS, (c) => ({
        tpm: { ...c, kind: "rsassa", bare: true },
      })),
    ]),
    await suite("tpm", TPM_CHECKS, verifyTpm, newTpmEvidence, TPM_DEFECTS),
    await suite("psa", PSA_CHECKS, verifyPsa, newPsaToken, PSA_DEFECTS),
    await suite("cca", CCA_CHECKS, verifyCca, newCcaToken, CCA_DEFECTS),
    await suite("nvidia-gpu", GPU_CHECKS, verifyGpu, newGpuEvidence, GPU_DEFECTS),
    await suite("ra-tls", [], verifyRaTls, (c) => newRaTlsCertificate(intel, c), [
      ...RA_TLS_DEFECTS,
      ...within<RaTlsChanges, IntelRequest, IntelChanges>(quotes, quoteWithin),
    ]),
    await suite("enarx-csr", [], verifyEnarxRequest, (c) => newEnarxRequest(intel, c), [
      ...ENARX_DEFECTS,
      ...within<EnarxChanges, IntelRequest, IntelChanges>(quotes, quoteWithin),
    ]),
    await suite("enarx-csr, snp", [], verifyEnarxRequest, (c) => newEnarxSnpRequest(snp, c), [
      ...ENARX_SNP_DEFECTS,
      ...within<EnarxSnpChanges, SnpRequest, SnpChanges>(SNP_DEFECTS, (c) => ({ report: c })),
    ]),
    await suite("ear", EAR_CHECKS, verifyEar, newEarToken, [...EAR_DEFECTS, ...EAR_OPEN]),
    sevSuite(),
  ];
}

/** Samples of one verifier, though made in two ways. */
function both(one: Suite, other: Suite): Suite {
  return { ...one, samples: [...one.samples, ...other.samples] };
}

/** What the outer evidence judges in its own way: readable or not, what it is bound to, what the TPM's key is. */
const OUTER = /^(snp|quote)\.format$|\.nonce$|\.report-data$|^expect\.|^tpm\.ak/;
/** Azure's quotes name no algorithm: they are read as SHA-256. */
const OUTER_NAMES: ReadonlySet<string> = new Set(["signed with SHA-1"]);

/** Defects of evidence that stands inside other evidence. */
function within<Changes, Request, Inner>(
  defects: readonly Defect<Inner, Partial<Request>>[],
  wrap: (changes: Inner) => Changes,
): Defect<Changes, Request>[] {
  return defects
    .filter(({ name, fails }) => !OUTER_NAMES.has(name) && !fails.some((each) => OUTER.test(each)))
    .map(({ name, fails, changes, request }) => ({
      name: `inside: ${name}`,
      fails,
      changes: wrap(changes ?? ({} as Inner)),
      ...(request === undefined ? {} : { request }),
    }));
}

function quoteWithin(changes: IntelChanges): { quote: IntelChanges } {
  return { quote: { kind: "tdx4", ...changes } };
}

async function suite<Evidence, Request, Changes>(
  type: string,
  names: readonly string[],
  verify: (evidence: Evidence, request: Request) => Promise<Appraisal>,
  make: (changes?: Changes) => Promise<Made<Evidence, Request>> | Made<Evidence, Request>,
  defects: readonly Defect<Changes, Request>[],
): Promise<Suite> {
  const samples: Sample[] = [];
  const right: Defect<Changes, Request> = { name: "in order", fails: [] };
  for (const { name, fails, changes, request: change } of [right, ...defects]) {
    const { evidence, request } = await make(changes);
    samples.push({ name, fails, judge: () => verify(evidence, { ...request, ...change }) });
  }
  return { type, names, samples };
}

async function nitroSuite(): Promise<Suite> {
  const world = await newNitroWorld();
  const right = { name: "in order", fails: [] };
  const samples: Sample[] = [];
  for (const defect of [right, ...FORMAT_DEFECTS, ...CHAIN_DEFECTS, ...CONTENT_DEFECTS]) {
    const { name, fails, changes, request } = { changes: undefined, request: undefined, ...defect };
    const document = await newNitroDocument(world, await changes?.(world));
    const asked = { ...world.request, ...request?.(world) };
    samples.push({ name, fails, judge: () => verifyNitro(document, asked) });
  }
  return { type: "nitro", names: NITRO_CHECKS, samples };
}

/** A chain is judged by its checks alone, all of which its callers need. */
function sevSuite(): Suite {
  const right: Defect<SevChanges, object> = { name: "in order", fails: [] };
  const samples = [right, ...SEV_CHAIN_DEFECTS].map(({ name, fails, changes }) => {
    const chain = newSevChain(changes);
    const anchors = changes?.anchors?.(chain) ?? [chain.ark.key];
    const judge = async (): Promise<Judged> => {
      const checks = await verifySevChain(chain, anchors, webCrypto);
      return { checks, verdict: verdictOf(checks), waived: [] };
    };
    return { name, fails, judge };
  });
  return { type: "sev chain", names: SEV_CHAIN_CHECKS, samples };
}

function verdictOf(checks: readonly Check[]): Verdict {
  if (checks.some(({ outcome }) => outcome === "failed")) return "refused";
  return checks.every(({ outcome }) => outcome === "passed") ? "affirmed" : "not-judged";
}
