// What a keep's certificate says beside its key: the measurement under the Veracruz OID, the policy hash and the
// platform under OIDs of our own (2.25 arcs of random UUIDs, ITU-T X.667).
import {
  type Certificate,
  type Extensions,
  fromText,
  type NewExtension,
  toHex,
  toText,
} from "@holdfast/core";

/** Raw 32-byte measurement; the OID and form of the Veracruz attestation proxy. */
export const MEASUREMENT_OID = "2.5.30.1";
/** Raw 32-byte SHA-256 of the policy text. Stands in the keep's request, and so in what its evidence binds. */
export const POLICY_HASH_OID = "2.25.177895064259012590324901425434715231040";
/** UTF-8 name of the attested platform. */
export const PLATFORM_OID = "2.25.47071294841832589552545201006627867342";

/** Platforms a keep's certificate may name. */
export type Platform = "simulated-nitro" | "aws-nitro";

/** What a keep's certificate claims; only as good as the authority that issued it. */
export interface KeepClaims {
  /** Lower-case hexadecimal, 64 digits. */
  readonly measurement?: string;
  readonly policyHash?: string;
  readonly platform?: string;
}

/** Extensions of a keep's certificate, none critical: clients that don't know them still connect. */
export function keepExtensions(claims: {
  measurement: Uint8Array;
  policyHash: Uint8Array;
  platform: Platform;
}): NewExtension[] {
  return [
    { oid: MEASUREMENT_OID, value: claims.measurement },
    { oid: POLICY_HASH_OID, value: claims.policyHash },
    { oid: PLATFORM_OID, value: fromText(claims.platform) },
  ];
}

/** Claims of a keep's certificate; what is absent or of a wrong length is undefined. */
export function keepClaims({ extensions }: Pick<Certificate, "extensions">): KeepClaims {
  const measurement = digestOf(extensions, MEASUREMENT_OID);
  const policyHash = digestOf(extensions, POLICY_HASH_OID);
  const platform = extensions.get(PLATFORM_OID);
  return {
    ...(measurement === undefined ? {} : { measurement }),
    ...(policyHash === undefined ? {} : { policyHash }),
    ...(platform === undefined || platform.value.length > 64
      ? {}
      : { platform: toText(platform.value) }),
  };
}

/** Whether a platform's name says that nothing but software stands behind it. */
export function isSimulated(platform: string | undefined): boolean {
  return platform === undefined || platform.startsWith("simulated");
}

function digestOf(extensions: Extensions, oid: string): string | undefined {
  const extension = extensions.get(oid);
  return extension?.value.length === 32 ? toHex(extension.value) : undefined;
}
