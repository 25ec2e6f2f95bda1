// Tokens of Arm platforms under keys of our own, changed exactly as told.
import { createHash, type KeyObject, sign } from "node:crypto";
import { concat, toHex, webCrypto } from "@holdfast/core";
import {
  type ArmRequest,
  cborWrite as cbor,
  encodeSign1,
  keyOfSpki,
  NO_ENDORSEMENTS,
  signedBytes,
} from "@holdfast/evidence";
import { newKeys } from "../pki/party.ts";

/** Claims by key, each already encoded; `undefined` takes a claim away. */
export type ClaimChanges = Readonly<Record<number, Uint8Array | undefined>>;

/** What to change of a PSA token. */
export interface PsaChanges {
  readonly claims?: ClaimChanges;
  readonly signer?: KeyObject;
  readonly algorithm?: number;
  readonly after?: (token: Uint8Array) => Uint8Array;
}

/** What to change of a CCA token. */
export interface CcaChanges {
  readonly platform?: ClaimChanges;
  readonly realm?: ClaimChanges;
  readonly platformSigner?: KeyObject;
  readonly realmSigner?: KeyObject;
  /** Carries the realm's key as a COSE key, bound by SHA-512, as newer platforms do. */
  readonly coseKey?: boolean;
  readonly tag?: number;
  readonly after?: (token: Uint8Array) => Uint8Array;
}

export const ARM_NONCE: Uint8Array = new Uint8Array(32).fill(6);
export const REALM_CHALLENGE: Uint8Array = new Uint8Array(64).fill(8);
const INSTANCE = concat(Uint8Array.of(1), new Uint8Array(32).fill(2));
const IMPLEMENTATION = new Uint8Array(32).fill(3);
const ES256 = -7;
const ES384 = -35;

/** Changes that make a token one of the profile before RFC 9783. */
export const OLD_PSA_CLAIMS: ClaimChanges = {
  ...Object.fromEntries(
    [265, 10, 256, 2394, 2395, 2396, 2397, 2399, 2400].map((key) => [key, undefined]),
  ),
  [-75000]: cbor.text("PSA_IOT_PROFILE_1"),
  [-75001]: cbor.integer(-5),
  [-75002]: cbor.integer(0x3000),
  [-75003]: cbor.bytes(IMPLEMENTATION),
  [-75004]: cbor.bytes(new Uint8Array(32)),
  [-75006]: components(),
  [-75008]: cbor.bytes(ARM_NONCE),
  [-75009]: cbor.bytes(INSTANCE),
};

/** A PSA token with the request under which it is affirmed when nothing is changed. */
export function newPsaToken(changes: PsaChanges = {}): {
  evidence: Uint8Array;
  request: ArmRequest;
} {
  const keys = newKeys("p256");
  const payload = encodeClaims({
    265: cbor.text("http://arm.com/psa/2.0.0"),
    10: cbor.bytes(ARM_NONCE),
    256: cbor.bytes(INSTANCE),
    2394: cbor.integer(-5),
    2395: cbor.integer(0x3000),
    2396: cbor.bytes(IMPLEMENTATION),
    2397: cbor.bytes(new Uint8Array(32)),
    2399: components(),
    2400: cbor.text("https://verifier.example"),
    ...changes.claims,
  });
  const token = signed(payload, changes.algorithm ?? ES256, changes.signer ?? keys.privateKey);
  const tagged = cbor.tag(18, token);
  return {
    evidence: changes.after?.(tagged) ?? tagged,
    request: request(keys.publicKey, ARM_NONCE),
  };
}

/** A CCA token with the request under which it is affirmed when nothing is changed. */
export function newCcaToken(changes: CcaChanges = {}): {
  evidence: Uint8Array;
  request: ArmRequest;
} {
  const platformKeys = newKeys("p384");
  const realmKeys = newKeys("p384");
  const realmKey = encodeRealmKey(realmKeys.publicKey, changes.coseKey ?? false);
  const hash = changes.coseKey ? "sha512" : "sha256";
  const digest = new Uint8Array(createHash(hash).update(realmKey).digest());
  const platform = encodeClaims({
    265: cbor.text("http://arm.com/CCA-SSD/1.0.0"),
    10: cbor.bytes(digest),
    256: cbor.bytes(INSTANCE),
    2395: cbor.integer(0x3003),
    2396: cbor.bytes(IMPLEMENTATION),
    2399: components(),
    2401: cbor.bytes(Uint8Array.of(1)),
    2402: cbor.text("sha-256"),
    ...changes.platform,
  });
  const measurement = cbor.bytes(new Uint8Array(64).fill(9));
  const realm = encodeClaims({
    10: cbor.bytes(REALM_CHALLENGE),
    44235: cbor.bytes(new Uint8Array(64)),
    44236: cbor.text("sha-512"),
    44237: cbor.bytes(realmKey),
    44238: measurement,
    44239: cbor.array(measurement, measurement, measurement, measurement),
    44240: cbor.text(changes.coseKey ? "sha-512" : "sha-256"),
    ...changes.realm,
  });
  const tokens = [
    [44234, signed(platform, ES384, changes.platformSigner ?? platformKeys.privateKey)],
    [44241, signed(realm, ES384, changes.realmSigner ?? realmKeys.privateKey)],
  ] as const;
  const token = cbor.tag(
    changes.tag ?? 399,
    cbor.map(
      ...tokens.map(([key, each]) => [cbor.integer(key), cbor.bytes(cbor.tag(18, each))] as const),
    ),
  );
  return {
    evidence: changes.after?.(token) ?? token,
    request: request(platformKeys.publicKey, REALM_CHALLENGE),
  };
}

/** The list of measured components. */
export function components(measurement: Uint8Array = new Uint8Array(32).fill(4)): Uint8Array {
  return cbor.array(
    cbor.map(
      [cbor.integer(1), cbor.text("BL")],
      [cbor.integer(2), cbor.bytes(measurement)],
      [cbor.integer(4), cbor.text("1.0")],
      [cbor.integer(5), cbor.bytes(new Uint8Array(32).fill(5))],
    ),
  );
}

function request(key: KeyObject, nonce: Uint8Array): ArmRequest {
  const spki = new Uint8Array(key.export({ type: "spki", format: "der" }));
  return {
    at: new Date("2026-06-01T00:00:00Z"),
    crypto: webCrypto,
    endorsements: { ...NO_ENDORSEMENTS, keys: [{ ...keyOfSpki(spki), name: toHex(INSTANCE) }] },
    nonce,
  };
}

function encodeClaims(claims: ClaimChanges): Uint8Array {
  const entries = Object.entries(claims).flatMap(([key, value]) =>
    value === undefined ? [] : [[cbor.integer(Number(key)), value] as const],
  );
  return cbor.map(...entries);
}

function signed(payload: Uint8Array, algorithm: number, key: KeyObject): Uint8Array {
  const protectedBytes = cbor.map([cbor.integer(1), cbor.integer(algorithm)]);
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const bytes = signedBytes({ protectedBytes, payload });
  const hash = curve === "secp384r1" ? "sha384" : "sha256";
  const signature = new Uint8Array(sign(hash, bytes, { key, dsaEncoding: "ieee-p1363" }));
  return encodeSign1({ protectedBytes, payload, signature });
}

function encodeRealmKey(key: KeyObject, cose: boolean): Uint8Array {
  const { x = "", y = "" } = key.export({ format: "jwk" });
  const [first, second] = [x, y].map((part) => new Uint8Array(Buffer.from(part, "base64url")));
  const halves = [first ?? new Uint8Array(), second ?? new Uint8Array()] as const;
  if (!cose) return concat(Uint8Array.of(4), ...halves);
  return cbor.map(
    [cbor.integer(1), cbor.integer(2)],
    [cbor.integer(-1), cbor.integer(2)],
    [cbor.integer(-2), cbor.bytes(halves[0])],
    [cbor.integer(-3), cbor.bytes(halves[1])],
  );
}
