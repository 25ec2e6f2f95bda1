// The verifier as a page calls it: bytes and files in, the same appraisal as everywhere else out. Its bundle is one module
// without a server behind it: who loads it from a place they trust judges a keep without trusting whoever runs it.
import { parseCertificate, webCrypto } from "@holdfast/core";
import type { Appraisal } from "../appraisal.ts";
import { type Description, describeEvidence } from "../describe/describe-evidence.ts";
import { unpackBundles } from "../endorsements/bundle.ts";
import type { Endorsements } from "../endorsements/endorsements.ts";
import { type EndorsementFile, readEndorsements } from "../endorsements/read.ts";
import type { EvidenceType } from "../recognise.ts";
import { type EvidenceRequest, verifyEvidence } from "../verify-evidence.ts";

/** What a page hands over. */
export interface PageRequest
  extends Omit<EvidenceRequest, "crypto" | "endorsements" | "anchors" | "type"> {
  readonly type?: EvidenceType;
  /** Certificates, revocation lists, collateral: files as they are, in any order. */
  readonly endorsements?: readonly EndorsementFile[];
  /** Roots to trust beside the vendors' own, DER. */
  readonly roots?: readonly Uint8Array[];
}

/**
 * Judges evidence in a page, with Web Cryptography.
 * @throws HoldfastError for roots that can't be read; never for bad evidence
 */
export async function judge(evidence: Uint8Array, request: PageRequest): Promise<Appraisal> {
  const { endorsements, roots, ...rest } = request;
  return await verifyEvidence(evidence, {
    ...rest,
    crypto: webCrypto,
    endorsements: await endorsementsOf(endorsements ?? []),
    anchors: (roots ?? []).map((der) => parseCertificate(der)),
  });
}

/**
 * What evidence says, proven by nothing.
 * @throws HoldfastError for what can't be read
 */
export async function describe(
  evidence: Uint8Array,
  endorsements: readonly EndorsementFile[] = [],
): Promise<Description> {
  return await describeEvidence(evidence, {
    crypto: webCrypto,
    endorsements: await endorsementsOf(endorsements),
  });
}

/** Endorsements of files, bundles among them; a damaged one is named as ignored. */
async function endorsementsOf(files: readonly EndorsementFile[]): Promise<Endorsements> {
  const { files: unpacked, damaged } = await unpackBundles(files, webCrypto);
  const read = readEndorsements(unpacked);
  return { ...read, ignored: [...read.ignored, ...damaged] };
}
