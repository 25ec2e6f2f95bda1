// Tokens of Arm platforms with exactly one thing wrong, each with the checks that must fail.
import { type ArmRequest, cborWrite as cbor } from "@holdfast/evidence";
import { type Defect, defectsOf } from "../defect.ts";
import { newKeys } from "../pki/party.ts";
import { ARM_NONCE, type CcaChanges, components, type PsaChanges } from "./world.ts";

const stranger = { p256: newKeys("p256").privateKey, p384: newKeys("p384").privateKey };
const flip = (at: number) => (token: Uint8Array) => {
  const changed = token.slice();
  changed.set([(changed.at(at) ?? 0) ^ 1], at < 0 ? changed.length + at : at);
  return changed;
};

/** Every defect of a PSA token. */
export const PSA_DEFECTS: readonly Defect<PsaChanges, ArmRequest>[] = defectsOf<
  PsaChanges,
  ArmRequest
>([
  ["cut short", ["psa.format"], { after: (token) => token.subarray(0, -1) }],
  ["a byte too many", ["psa.format"], { after: (token) => Uint8Array.of(...token, 0) }],
  ["no nonce", ["psa.format"], { claims: { 10: undefined } }],
  [
    "a nonce that is too short",
    ["psa.format"],
    { claims: { 10: cbor.bytes(ARM_NONCE.subarray(1)) } },
  ],
  ["no instance", ["psa.format"], { claims: { 256: undefined } }],
  ["another kind of instance", ["psa.format"], { claims: { 256: cbor.bytes(new Uint8Array(33)) } }],
  ["no lifecycle", ["psa.format"], { claims: { 2395: undefined } }],
  ["no components", ["psa.format"], { claims: { 2399: cbor.array() } }],
  ["no implementation", ["psa.format"], { claims: { 2396: undefined } }],
  ["no profile", ["psa.format"], { claims: { 265: undefined } }],
  ["another profile", ["psa.profile"], { claims: { 265: cbor.text("http://arm.com/other") } }],
  ["another key", ["psa.signature"], { signer: stranger.p256 }],
  ["signature changed", ["psa.signature"], { after: flip(-1) }],
  ["an algorithm that does not fit the key", ["psa.signature"], { algorithm: -35 }],
  ["not secured", ["psa.lifecycle"], { claims: { 2395: cbor.integer(0x2000) } }],
  ["debug", ["psa.lifecycle"], { claims: { 2395: cbor.integer(0x4000) } }],
  ["decommissioned", ["psa.lifecycle"], { claims: { 2395: cbor.integer(0x6000) } }],
  ["no known state", ["psa.lifecycle"], { claims: { 2395: cbor.integer(0x3100) } }],
  ["another nonce", ["psa.nonce"], {}, { nonce: new Uint8Array(32) }],
  ["report data", ["psa.report-data"], {}, { reportData: new Uint8Array(64) }],
  [
    "a component nobody accepted",
    ["psa.components"],
    {},
    { arm: { components: [{ measurement: "00".repeat(32) }] } },
  ],
  [
    "a component of another signer",
    ["psa.components"],
    {},
    { arm: { components: [{ measurement: "04".repeat(32), signerId: "00".repeat(32) }] } },
  ],
  ["another implementation", ["psa.implementation"], {}, { arm: { implementationIds: ["00"] } }],
  ["another claim", ["expect.lifecycle"], {}, { expect: new Map([["lifecycle", ["1"]]]) }],
]);

const zeros = cbor.bytes(new Uint8Array(32));

/** Every defect of a CCA token. */
export const CCA_DEFECTS: readonly Defect<CcaChanges, ArmRequest>[] = defectsOf<
  CcaChanges,
  ArmRequest
>([
  ["another collection", ["cca.format"], { tag: 400 }],
  ["cut short", ["cca.format"], { after: (token) => token.subarray(0, -1) }],
  ["no realm key", ["cca.format"], { realm: { 44237: undefined } }],
  [
    "a realm key of another kind",
    ["cca.format"],
    { realm: { 44237: cbor.bytes(new Uint8Array(97)) } },
  ],
  ["a challenge of another length", ["cca.format"], { realm: { 10: zeros } }],
  [
    "three extensible measurements",
    ["cca.format"],
    { realm: { 44239: cbor.array(zeros, zeros, zeros) } },
  ],
  ["another platform profile", ["cca.profile"], { platform: { 265: cbor.text("other") } }],
  ["another realm profile", ["cca.profile"], { realm: { 265: cbor.text("other") } }],
  ["platform of another key", ["cca.platform-signature"], { platformSigner: stranger.p384 }],
  ["realm of another key", ["cca.realm-signature"], { realmSigner: stranger.p384 }],
  ["platform that does not vouch for this realm", ["cca.binding"], { platform: { 10: zeros } }],
  ["a hash nobody knows", ["cca.binding"], { realm: { 44240: cbor.text("md5") } }],
  ["not secured", ["cca.lifecycle"], { platform: { 2395: cbor.integer(0x1000) } }],
  ["debug", ["cca.lifecycle"], { platform: { 2395: cbor.integer(0x5000) } }],
  ["another challenge", ["cca.nonce"], {}, { nonce: new Uint8Array(64) }],
  ["half a challenge", ["cca.nonce"], {}, { nonce: new Uint8Array(32).fill(8) }],
  [
    "firmware nobody accepted",
    ["cca.components"],
    { platform: { 2399: components(new Uint8Array(32)) } },
    { arm: { components: [{ measurement: "04".repeat(32) }] } },
  ],
  [
    "another realm",
    ["expect.realmInitialMeasurement"],
    {},
    { expect: new Map([["realmInitialMeasurement", ["00"]]]) },
  ],
]);
