// Judges evidence with what is at hand first. Only when nothing but a vendor's document stands between it and a verdict are
// the sources asked: forged evidence makes nobody ask for anything where the forgery can be told.
import {
  type Appraisal,
  type CollateralNeed,
  collateralNeeds,
  type Endorsements,
  type EvidenceRequest,
  mergeEndorsements,
  NO_ENDORSEMENTS,
  verifyEvidence,
} from "@holdfast/evidence";
import type { CollateralStore } from "./store.ts";

/** Checks that a document of the vendor can turn: it is missing, too old, or of another platform. */
const OF_COLLATERAL =
  /^(?:tcb-info|qe-identity)\.|\.revocation$|^snp\.(?:leaf|leaf-tcb|chip-id|product|signature)$/;

/** A verdict, and everything beside the evidence that it was made with. */
export interface JudgedEvidence {
  readonly appraisal: Appraisal;
  readonly endorsements: Endorsements;
}

/** The verdict on evidence. `request.endorsements` are the operator's and the asker's. */
export async function judgeEvidence(
  evidence: Uint8Array,
  request: Omit<EvidenceRequest, "at">,
  { store, now }: { readonly store: CollateralStore; readonly now: () => Date },
): Promise<JudgedEvidence> {
  const judge = async (more: Endorsements): Promise<JudgedEvidence> => {
    const endorsements = mergeEndorsements(request.endorsements, more);
    const appraisal = await verifyEvidence(evidence, { ...request, at: now(), endorsements });
    return { appraisal, endorsements };
  };
  const first = await judge(await gather(evidence, request, (needs) => store.held(needs)));
  if (!wantsCollateral(first.appraisal)) return first;
  const more = await gather(evidence, request, (needs) => store.obtain(needs));
  return more === NO_ENDORSEMENTS ? first : await judge(more);
}

/** What evidence needs, and then what it needs because of that: a platform's certificate says which documents are its own. */
async function gather(
  evidence: Uint8Array,
  { endorsements }: Pick<EvidenceRequest, "endorsements">,
  find: (needs: readonly CollateralNeed[]) => Promise<Endorsements>,
): Promise<Endorsements> {
  const needs = collateralNeeds(evidence, endorsements);
  if (needs.length === 0) return NO_ENDORSEMENTS;
  const found = await find(needs);
  if (!needs.some(({ kind }) => kind === "intel-pck") || found.certificates.length === 0) {
    return found;
  }
  const further = collateralNeeds(evidence, mergeEndorsements(endorsements, found));
  return mergeEndorsements(found, await find(further));
}

function wantsCollateral({ verdict, checks }: Appraisal): boolean {
  if (verdict === "affirmed") return false;
  const failed = checks.filter(({ outcome }) => outcome === "failed");
  return (
    failed.every(({ name }) => OF_COLLATERAL.test(name)) &&
    checks.some(({ name, outcome }) => outcome !== "passed" && OF_COLLATERAL.test(name))
  );
}
