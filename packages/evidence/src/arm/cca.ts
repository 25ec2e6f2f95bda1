// Judges attestation tokens of the Confidential Compute Architecture (draft-ffm-rats-cca-token): a platform token by the
// key enrolled for the platform, a realm token by the key of the realm, which the platform token is over.
import {
  type Check,
  check,
  type DigestName,
  equalBytes,
  HoldfastError,
  notPerformed,
  toHex,
} from "@holdfast/core";
import type { Appraisal } from "../appraisal.ts";
import { type CborMap, type CborNode, cborFault, readCbor } from "../cbor/read.ts";
import { cborArray, cborBytes, cborInteger, cborMap, cborRequired } from "../cbor/values.ts";
import { isSign1By, parseSign1, type Sign1 } from "../cose/sign1.ts";
import { keyOfPoint, type TrustedKey } from "../endorsements/trusted-key.ts";
import { reportDataCheck } from "../judge/bindings.ts";
import { authenticBy } from "../judge/outcome.ts";
import {
  ARM_CLAIM,
  type ArmComponent,
  bytesClaim,
  componentsClaim,
  instanceClaim,
  textClaim,
  unsignedClaim,
} from "./claims.ts";
import { keyOfInstance } from "./keys.ts";
import { isArmDebug, lifecycleCheck } from "./lifecycle.ts";
import { armDemandChecks } from "./policy.ts";
import { type ArmRequest, armAppraisal, noReportData, refusedFormat } from "./psa.ts";

/** What a CCA token says; byte strings are lower-case hexadecimal. */
export interface CcaClaims {
  /** CBOR tag of the collection. */
  readonly tag: number;
  readonly platformProfile: string;
  readonly platformLifecycle: number;
  readonly implementationId: string;
  readonly instanceId: string;
  readonly platformConfig: string;
  readonly components: readonly ArmComponent[];
  readonly realmProfile?: string;
  readonly realmChallenge: string;
  readonly realmPersonalizationValue: string;
  readonly realmInitialMeasurement: string;
  readonly realmExtensibleMeasurements: readonly string[];
  readonly realmHashAlgorithm: string;
  readonly debug: boolean;
}

/** Every check of a token, in the order of the result. */
export const CCA_CHECKS = [
  "cca.format",
  "cca.profile",
  "cca.platform-key",
  "cca.platform-signature",
  "cca.binding",
  "cca.realm-signature",
  "cca.lifecycle",
  "cca.nonce",
] as const;

const COLLECTION_TAG = 399n;
const PLATFORM = 44234;
const REALM = 44241;
const PLATFORM_PROFILES: ReadonlySet<string> = new Set([
  "http://arm.com/CCA-SSD/1.0.0",
  "tag:arm.com,2023:cca_platform#1.0.0",
]);
const REALM_PROFILES: ReadonlySet<string> = new Set(["tag:arm.com,2023:realm#1.0.0"]);
const HASHES: Readonly<Record<string, DigestName>> = {
  "sha-256": "SHA-256",
  "sha-384": "SHA-384",
  "sha-512": "SHA-512",
};
const AUTHENTICITY: ReadonlySet<string> = new Set([
  "cca.profile",
  "cca.platform-key",
  "cca.platform-signature",
  "cca.binding",
  "cca.realm-signature",
]);

/** A token, read but not verified. */
export interface Token {
  readonly platform: Sign1;
  readonly realm: Sign1;
  readonly platformChallenge: Uint8Array;
  /** The claim as it stands: what the platform's challenge is over. */
  readonly realmKeyBytes: Uint8Array;
  readonly realmKey: TrustedKey;
  readonly realmKeyHash: string;
  readonly claims: CcaClaims;
}

/** Judges a token; unreadable bytes are a refusal too. */
export async function verifyCca(
  input: Uint8Array,
  request: ArmRequest,
): Promise<Appraisal<CcaClaims>> {
  let token: Token;
  try {
    token = parseCcaToken(input);
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return refusedFormat("cca", CCA_CHECKS, thrown.message, request);
  }
  const { claims, platform, realm, realmKey } = token;
  const { crypto } = request;
  const { key, signed } = await keyOfInstance(
    platform,
    claims.instanceId,
    request.endorsements,
    crypto,
  );
  const realmSigned = await isSign1By(realm, realmKey.spki, realmKey.key, crypto);
  const made: Check[] = [
    check("cca.format", true, "platform and realm token in one collection"),
    profileCheck(claims),
    key === undefined
      ? notPerformed("cca.platform-key", `no key was enrolled for platform ${claims.instanceId}`)
      : check("cca.platform-key", true, `a key was enrolled for platform ${claims.instanceId}`),
    key === undefined
      ? notPerformed("cca.platform-signature", "no key is known")
      : check(
          "cca.platform-signature",
          signed,
          signed ? "the platform's key signed" : "the platform token's signature is wrong",
        ),
    await bindingCheck(token, request),
    check(
      "cca.realm-signature",
      realmSigned,
      realmSigned ? "the realm's key signed" : "the realm token's signature is wrong",
    ),
    lifecycleCheck("cca.lifecycle", claims.platformLifecycle, request.allowDebug ?? false),
    challengeCheck(claims, request),
    ...noReportData("cca", request),
    ...armDemandChecks("cca", claims, request.arm ?? {}),
  ];
  return armAppraisal("cca", made, authenticBy(made, AUTHENTICITY) ? claims : undefined, request);
}

/** A token as it stands. */
export function parseCcaToken(input: Uint8Array): Token {
  const whole = readCbor(input);
  if (whole.kind !== "tag" || whole.tag !== COLLECTION_TAG) throw cborFault("tag 399 expected");
  const collection = cborMap(whole.item, "collection");
  const platform = tokenOf(collection, PLATFORM);
  const realm = tokenOf(collection, REALM);
  const platformMap = cborMap(readCbor(platform.payload), "platform claims");
  const realmMap = cborMap(readCbor(realm.payload), "realm claims");
  const realmKeyBytes = bytesClaim(realmMap, ARM_CLAIM.realmKey, 97, 256);
  return {
    platform,
    realm,
    platformChallenge: bytesClaim(platformMap, ARM_CLAIM.nonce, 32, 64),
    realmKeyBytes,
    realmKey: parseRealmKey(realmKeyBytes),
    realmKeyHash: requiredText(realmMap, ARM_CLAIM.realmKeyHash),
    claims: claimsOf(platformMap, realmMap),
  };
}

function tokenOf(collection: CborMap, key: number): Sign1 {
  const node = cborRequired(collection, key, "collection");
  return parseSign1(cborBytes(node, `token ${key}`, { least: 1, most: 32 * 1024 }));
}

/** An uncompressed point of P-384, or a COSE key of two coordinates on it. */
function parseRealmKey(bytes: Uint8Array): TrustedKey {
  if (bytes.length === 97 && bytes[0] === 4) {
    return keyOfPoint("P-384", bytes.subarray(1, 49), bytes.subarray(49));
  }
  const map = cborMap(readCbor(bytes), "realm key");
  const [type, curve] = [1, -1].map((label) =>
    cborInteger(cborRequired(map, label, "realm key"), `realm key ${label}`),
  );
  if (type !== 2 || curve !== 2) throw cborFault("realm key: P-384 expected");
  const [x, y] = [-2, -3].map((label) => coordinate(cborRequired(map, label, "realm key")));
  return keyOfPoint("P-384", x ?? new Uint8Array(), y ?? new Uint8Array());
}

function coordinate(node: CborNode): Uint8Array {
  return cborBytes(node, "coordinate", { least: 48, most: 48 });
}

function claimsOf(platform: CborMap, realm: CborMap): CcaClaims {
  const lifecycle = unsignedClaim(platform, ARM_CLAIM.lifecycle);
  const realmProfile = textClaim(realm, ARM_CLAIM.profile);
  const extensible = cborRequired(realm, ARM_CLAIM.realmExtensible, "realm claims");
  const digest = { least: 32, most: 64 };
  return {
    tag: Number(COLLECTION_TAG),
    platformProfile: requiredText(platform, ARM_CLAIM.profile),
    platformLifecycle: lifecycle,
    implementationId: toHex(bytesClaim(platform, ARM_CLAIM.implementationId, 32, 32)),
    instanceId: instanceClaim(platform),
    platformConfig: toHex(bytesClaim(platform, ARM_CLAIM.platformConfig, 1, 1024)),
    components: componentsClaim(platform),
    ...(realmProfile === undefined ? {} : { realmProfile }),
    realmChallenge: toHex(bytesClaim(realm, ARM_CLAIM.nonce, 64, 64)),
    realmPersonalizationValue: toHex(bytesClaim(realm, ARM_CLAIM.personalization, 64, 64)),
    realmInitialMeasurement: toHex(bytesClaim(realm, ARM_CLAIM.realmInitial, 32, 64)),
    realmExtensibleMeasurements: cborArray(extensible, "claim 44239", { least: 4, most: 4 }).map(
      (node) => toHex(cborBytes(node, "extensible measurement", digest)),
    ),
    realmHashAlgorithm: requiredText(realm, ARM_CLAIM.realmHash),
    debug: isArmDebug(lifecycle),
  };
}

function requiredText(claims: CborMap, key: number): string {
  const value = textClaim(claims, key);
  if (value === undefined) throw cborFault(`claim ${key} is missing`);
  return value;
}

function profileCheck({ platformProfile, realmProfile }: CcaClaims): Check {
  const known =
    PLATFORM_PROFILES.has(platformProfile) &&
    (realmProfile === undefined || REALM_PROFILES.has(realmProfile));
  return check("cca.profile", known, `profiles ${platformProfile}, ${realmProfile ?? "none"}`);
}

/** The platform's challenge is the hash of the realm's key: this platform vouches for this realm. */
async function bindingCheck(token: Token, { crypto }: ArmRequest): Promise<Check> {
  const name = "cca.binding";
  const hash = HASHES[token.realmKeyHash];
  if (hash === undefined) return check(name, false, `hash ${token.realmKeyHash} is not known`);
  const wanted = await crypto.digest(hash, token.realmKeyBytes);
  const bound = equalBytes(wanted, token.platformChallenge);
  return check(
    name,
    bound,
    bound
      ? "the platform token is over the realm's key"
      : `platform challenge ${toHex(token.platformChallenge)}, ${toHex(wanted)} expected`,
  );
}

/** The realm's challenge: 64 bytes, of which the caller names the first; the others must be zero. */
function challengeCheck({ realmChallenge }: CcaClaims, { nonce }: ArmRequest): Check {
  const name = "cca.nonce";
  if (nonce === undefined) return notPerformed(name, "no nonce was asked for");
  return reportDataCheck(name, Uint8Array.fromHex(realmChallenge), nonce);
}
