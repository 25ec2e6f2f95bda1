// Chains of a SEV platform with exactly one thing wrong, each with the check that must fail.
import { type Defect, defectsOf } from "../defect.ts";
import type { SevChanges } from "./world.ts";

/** Every defect. */
export const SEV_CHAIN_DEFECTS: readonly Defect<SevChanges, object>[] = defectsOf<
  SevChanges,
  object
>([
  ["no root that is trusted", ["sev.anchor"], { anchors: () => [] }],
  ["another key trusted as root", ["sev.anchor"], { anchors: ({ ask }) => [ask.key] }],
  ["ARK signed by another", ["sev.ark"], { signer: { ark: ["ask"] } }],
  ["ASK signed by itself", ["sev.ask"], { signer: { ask: ["ask"] } }],
  ["CEK signed by the root", ["sev.cek"], { signer: { cek: ["ark"] } }],
  ["OCA signed by another", ["sev.oca"], { signer: { oca: ["pek"] } }],
  ["PEK without the chip's signature", ["sev.pek"], { signer: { pek: ["oca"] } }],
  ["PEK without the owner's signature", ["sev.pek"], { signer: { pek: ["cek"] } }],
  ["PDH signed by the chip", ["sev.pdh"], { signer: { pdh: ["cek"] } }],
  ["PDH in the place of the PEK", ["sev.usages"], { usage: { pek: "pdh" } }],
  ["a bit of the PDH's key", ["sev.pdh"], { flip: { pdh: 30 } }],
  ["a bit of the CEK's signature", ["sev.cek"], { flip: { cek: 1052 } }],
  ["bytes after the CEK's signature", ["sev.cek"], { flip: { cek: 1052 + 300 } }],
  ["bytes after a half of the PDH's signature", ["sev.pdh"], { flip: { pdh: 1052 + 50 } }],
]);
