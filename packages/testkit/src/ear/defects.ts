// Attestation results with exactly one thing wrong, each with the checks that must fail.
import { type JudgeRequest, NO_ENDORSEMENTS } from "@holdfast/evidence";
import { type Defect, defectsOf } from "../defect.ts";
import { newKeys } from "../pki/party.ts";
import { EAR_NONCE, EAR_TIME, type EarChanges } from "./world.ts";

const NOW = EAR_TIME.getTime() / 1000;
const stranger = newKeys("p256").privateKey;

/** Every defect. */
export const EAR_DEFECTS: readonly Defect<EarChanges, JudgeRequest>[] = defectsOf<
  EarChanges,
  JudgeRequest
>([
  ["no submodules", ["ear.format"], { payload: { submods: undefined } }],
  ["empty submodules", ["ear.format"], { payload: { submods: {} } }],
  ["a submodule without status", ["ear.format"], { submodule: { ear_status: undefined } }],
  ["a status of its own invention", ["ear.format"], { submodule: { ear_status: "fine" } }],
  ["a status named after Object's own", ["ear.format"], { submodule: { ear_status: "toString" } }],
  ["critical header members", ["ear.format"], { header: { crit: ["x"], x: 1 } }],
  ["a time that is none", ["ear.format"], { payload: { exp: "tomorrow" } }],
  ["no signature", ["ear.signature"], { after: (token) => token.replace(/[^.]*$/, "") }],
  ["a stranger's signature", ["ear.signature"], { signer: stranger }],
  ["an algorithm of another key", ["ear.key", "ear.signature"], { header: { alg: "ES384" } }],
  ["an unknown profile", ["ear.profile"], { payload: { eat_profile: "tag:example.org,2026:ear" } }],
  ["no verifier", ["ear.verifier"], { payload: { ear_verifier_id: undefined } }],
  ["a time of issue to come", ["ear.issued"], { payload: { iat: NOW + 120 } }],
  ["a beginning to come", ["ear.issued"], { payload: { nbf: NOW + 120 } }],
  ["an end that has passed", ["ear.expiry"], { payload: { exp: NOW } }],
  [
    "a vector worse than its status",
    ["ear.vector"],
    { submodule: { ear_trustworthiness_vector: { hardware: 97 } } },
  ],
  ["a warning", ["ear.status"], { submodule: { ear_status: 32 } }],
  ["a contraindicated submodule", ["ear.status"], { submodule: { ear_status: 96 } }],
  ["another nonce", ["ear.nonce"], { payload: { eat_nonce: "AAAAAAAAAAA" } }],
  ["no nonce", ["ear.nonce"], { payload: { eat_nonce: undefined } }],
  ["report data asked for", ["ear.report-data"], {}, { reportData: EAR_NONCE }],
  ["another issuer expected", ["expect.iss"], {}, { expect: new Map([["iss", ["other"]]]) }],
]);

/** Tokens that leave something open. */
export const EAR_OPEN: readonly Defect<EarChanges, JudgeRequest>[] = defectsOf<
  EarChanges,
  JudgeRequest
>([
  ["no key enrolled", [], {}, { endorsements: NO_ENDORSEMENTS }],
  ["no end", [], { payload: { exp: undefined } }],
  ["a status of none", [], { submodule: { ear_status: 0 } }],
]);
