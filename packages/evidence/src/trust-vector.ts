// The trustworthiness vector of draft-ietf-rats-ar4si: eight claims, each a signed byte in tiers.

/** The eight claims. 0: no claim is made. */
export interface TrustVector {
  readonly instanceIdentity: number;
  readonly configuration: number;
  readonly executables: number;
  readonly fileSystem: number;
  readonly hardware: number;
  readonly runtimeOpaque: number;
  readonly storageOpaque: number;
  readonly sourcedData: number;
}

/** Tiers of a claim, and of all claims together. */
export type TrustTier = "none" | "affirming" | "warning" | "contraindicated";

/** Values in use here, by claim. */
export const TRUST = {
  none: 0,
  /** instance-identity: recognised and not compromised. */
  instanceTrustworthy: 2,
  /** configuration: approved. */
  configurationApproved: 2,
  /** configuration: exposes what it should protect. */
  configurationUnsafe: 32,
  /** configuration: unsupportable, as debug modes are. */
  configurationUnsupportable: 96,
  /** executables: all approved. */
  executablesApproved: 2,
  /** executables: some are not recognised. */
  executablesUnrecognised: 33,
  /** executables: known to be bad, or not the pinned ones. */
  executablesContraindicated: 96,
  /** hardware: genuine. */
  hardwareGenuine: 2,
  /** hardware: genuine but with known weaknesses. */
  hardwareUnsafe: 32,
  /** hardware: contraindicated. */
  hardwareContraindicated: 96,
  /** hardware: not recognised, so nothing stands behind the evidence. */
  hardwareUnrecognised: 97,
  /** runtime-opaque: memory is encrypted or isolated. */
  runtimeIsolated: 2,
  /** Any claim: cryptographic validation failed. */
  cryptographyFailed: 99,
} as const;

/** No claim made in any category. */
export const NO_CLAIMS: TrustVector = uniform(TRUST.none);

/** Cryptographic validation failed, in every category. */
export const CRYPTOGRAPHY_FAILED: TrustVector = uniform(TRUST.cryptographyFailed);

/** A vector of the claims given; the rest make no claim. */
export function trustVector(claims: Partial<TrustVector>): TrustVector {
  return { ...NO_CLAIMS, ...claims };
}

/** The tier of one value; negative values mirror the tiers. */
export function trustTier(value: number): TrustTier {
  const size = Math.abs(value);
  if (size <= 1) return "none";
  if (size < 32) return "affirming";
  return size < 96 ? "warning" : "contraindicated";
}

/** The worst tier of a vector, passing over categories without a claim. */
export function worstTier(vector: TrustVector): TrustTier {
  const order: readonly TrustTier[] = ["none", "affirming", "warning", "contraindicated"];
  const ranks = Object.values(vector).map((value: number) => order.indexOf(trustTier(value)));
  return order[Math.max(0, ...ranks)] ?? "none";
}

function uniform(value: number): TrustVector {
  return {
    instanceIdentity: value,
    configuration: value,
    executables: value,
    fileSystem: value,
    hardware: value,
    runtimeOpaque: value,
    storageOpaque: value,
    sourcedData: value,
  };
}
