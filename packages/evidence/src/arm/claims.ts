// Claims of Arm's tokens (RFC 9783 for PSA, draft-ffm-rats-cca-token for CCA): maps of integer keys. Claims that are not
// known are passed over, as EAT asks; nothing here rests on them.
import { toHex } from "@holdfast/core";
import { type CborMap, type CborNode, cborFault } from "../cbor/read.ts";
import {
  cborArray,
  cborBytes,
  cborEntry,
  cborInteger,
  cborMap,
  cborRequired,
  cborText,
  cborUnsigned,
} from "../cbor/values.ts";

/** Keys of claims. */
export const ARM_CLAIM = {
  nonce: 10,
  instanceId: 256,
  profile: 265,
  clientId: 2394,
  lifecycle: 2395,
  implementationId: 2396,
  bootSeed: 2397,
  components: 2399,
  verificationService: 2400,
  platformConfig: 2401,
  platformHash: 2402,
  personalization: 44235,
  realmHash: 44236,
  realmKey: 44237,
  realmInitial: 44238,
  realmExtensible: 44239,
  realmKeyHash: 44240,
} as const;

/** Keys of the claims of a PSA token. */
export interface PsaKeys {
  readonly nonce: number;
  readonly instanceId: number;
  readonly profile: number;
  readonly clientId: number;
  readonly lifecycle: number;
  readonly implementationId: number;
  readonly bootSeed: number;
  readonly components: number;
  readonly verificationService: number;
}

/** The same claims before EAT had numbers for them (draft-tschofenig-rats-psa-token-05, profile PSA_IOT_PROFILE_1). */
export const PSA_OLD_CLAIM = {
  profile: -75000,
  clientId: -75001,
  lifecycle: -75002,
  implementationId: -75003,
  bootSeed: -75004,
  components: -75006,
  noComponents: -75007,
  nonce: -75008,
  instanceId: -75009,
  verificationService: -75010,
} as const;

/** A measured component of a platform's firmware; byte strings are lower-case hexadecimal. */
export interface ArmComponent {
  readonly measurementType?: string;
  readonly measurement: string;
  readonly version?: string;
  readonly signerId?: string;
}

const MAXIMUM_COMPONENTS = 64;
const DIGEST = { least: 32, most: 64 };

/** A byte string that must be there. */
export function bytesClaim(claims: CborMap, key: number, least: number, most: number): Uint8Array {
  return cborBytes(cborRequired(claims, key, "claims"), `claim ${key}`, { least, most });
}

/** A text that may be absent. */
export function textClaim(claims: CborMap, key: number): string | undefined {
  const node = cborEntry(claims, key);
  return node === undefined ? undefined : cborText(node, `claim ${key}`, { least: 1, most: 512 });
}

/** A number that must be there. */
export function unsignedClaim(claims: CborMap, key: number): number {
  return cborUnsigned(cborRequired(claims, key, "claims"), `claim ${key}`);
}

/** A number that may be absent, negative as well. */
export function integerClaim(claims: CborMap, key: number): number | undefined {
  const node = cborEntry(claims, key);
  return node === undefined ? undefined : cborInteger(node, `claim ${key}`);
}

/** The instance: 01 and a hash, 33 bytes. */
export function instanceClaim(claims: CborMap, key: number = ARM_CLAIM.instanceId): string {
  const id = bytesClaim(claims, key, 33, 33);
  if (id[0] !== 1) throw cborFault(`claim ${key}: not a random instance id`);
  return toHex(id);
}

/** The measured components; there is at least one. */
export function componentsClaim(
  claims: CborMap,
  key: number = ARM_CLAIM.components,
): ArmComponent[] {
  const node = cborRequired(claims, key, "claims");
  return cborArray(node, `claim ${key}`, { least: 1, most: MAXIMUM_COMPONENTS }).map(componentOf);
}

function componentOf(node: CborNode): ArmComponent {
  const map = cborMap(node, "component");
  const optional = (key: number): string | undefined => textClaim(map, key);
  const [measurementType, version] = [optional(1), optional(4)];
  const signer = cborEntry(map, 5);
  return {
    ...(measurementType === undefined ? {} : { measurementType }),
    measurement: toHex(cborBytes(cborRequired(map, 2, "component"), "measurement", DIGEST)),
    ...(version === undefined ? {} : { version }),
    ...(signer === undefined ? {} : { signerId: toHex(cborBytes(signer, "signer id", DIGEST)) }),
  };
}
