// Attestation results as claims of a token: EAR of draft-ietf-rats-ear, under its own names or under the dotted ones
// that came before and are in the field. Signing is the caller's.
import { toBase64Url } from "@holdfast/core";
import type { Appraisal } from "../appraisal.ts";
import { type TrustTier, type TrustVector, worstTier } from "../trust-vector.ts";

/** Which names a token uses. */
export type EarNames = "draft" | "dotted";

/** What a token says beside the appraisal. */
export interface EarOptions {
  readonly names: EarNames;
  readonly issuer: string;
  readonly verifier: { readonly developer: string; readonly build: string };
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** What the evidence was asked to carry; goes back to the asker, who must find it. 8 to 64 bytes. */
  readonly nonce?: Uint8Array;
  /** Names of the policies that the evidence was appraised by. */
  readonly policies: readonly string[];
}

/** Claims of a token, ready to be signed. */
export type EarClaims = Readonly<Record<string, unknown>>;

/** Profiles, by names. */
export const EAR_PROFILE: Readonly<Record<EarNames, string>> = {
  draft: "tag:ietf.org,2026:rats/ear#05",
  dotted: "tag:github.com,2023:veraison/ear",
};

const TIER_VALUE: Readonly<Record<TrustTier, number>> = {
  none: 0,
  affirming: 2,
  warning: 32,
  contraindicated: 96,
};
const VECTOR_NAMES: Readonly<Record<keyof TrustVector, string>> = {
  instanceIdentity: "instance-identity",
  configuration: "configuration",
  executables: "executables",
  fileSystem: "file-system",
  hardware: "hardware",
  runtimeOpaque: "runtime-opaque",
  storageOpaque: "storage-opaque",
  sourcedData: "sourced-data",
};

/** The tier of an appraisal: what was refused is contraindicated, what could not be judged affirms nothing. */
export function earStatus({ verdict, trustVector }: Appraisal): TrustTier {
  if (verdict === "refused") return "contraindicated";
  return verdict === "affirmed" ? worstTier(trustVector) : "none";
}

/** The claims of a token about an appraisal. */
export function earClaims(appraisal: Appraisal, options: EarOptions): EarClaims {
  const { issuer, issuedAt, expiresAt, verifier, nonce, names } = options;
  const status = earStatus(appraisal);
  return {
    eat_profile: EAR_PROFILE[names],
    iss: issuer,
    iat: seconds(issuedAt),
    exp: seconds(expiresAt),
    ...(nonce === undefined ? {} : { eat_nonce: toBase64Url(nonce) }),
    ...(names === "draft"
      ? { ear_verifier_id: verifier, ear_status: TIER_VALUE[status] }
      : { "ear.verifier-id": verifier }),
    submods: {
      [appraisal.type]:
        names === "draft"
          ? {
              ear_status: TIER_VALUE[status],
              ear_trustworthiness_vector: vectorClaims(appraisal.trustVector),
              ear_appraisal_policy_ids: options.policies,
              ear_attester_claims: attesterClaims(appraisal),
              ear_verifier_claims: verifierClaims(appraisal),
            }
          : {
              "ear.status": status,
              "ear.trustworthiness-vector": vectorClaims(appraisal.trustVector),
              "ear.appraisal-policy-id": options.policies.join(","),
              "ear.veraison.annotated-evidence": attesterClaims(appraisal),
              "ear.veraison.policy-claims": verifierClaims(appraisal),
            },
    },
  };
}

function vectorClaims(vector: TrustVector): Record<string, number> {
  return Object.fromEntries(
    Object.entries(VECTOR_NAMES).map(([name, label]) => [label, vector[name as keyof TrustVector]]),
  );
}

function attesterClaims({ platform, simulated, debug, claims }: Appraisal): object {
  return { platform, simulated, ...(debug === undefined ? {} : { debug }), ...claims };
}

/** Names and outcomes; the sentences are for the verifier's own log. */
function verifierClaims(appraisal: Appraisal): object {
  const { checks, collateral, tcbStatus, advisoryIds, validUntil } = appraisal;
  return {
    checks: Object.fromEntries(checks.map(({ name, outcome }) => [name, outcome])),
    collateral: Object.fromEntries(collateral.map(({ name, sha256 }) => [name, sha256])),
    ...(tcbStatus === undefined ? {} : { tcb_status: tcbStatus }),
    ...(advisoryIds.length === 0 ? {} : { advisory_ids: advisoryIds }),
    ...(validUntil === undefined ? {} : { valid_until: seconds(validUntil) }),
  };
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
