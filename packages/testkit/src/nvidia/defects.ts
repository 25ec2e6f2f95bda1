// GPU reports with exactly one thing wrong, each with the checks that must fail.
import { basicConstraints, keyUsage } from "@holdfast/core";
import type { JudgeRequest } from "@holdfast/evidence";
import { type Defect, defectsOf } from "../defect.ts";
import { newKeys, newList, PARTY_FROM, serialOf } from "../pki/party.ts";
import { firmwareExtension, type GpuChanges } from "./world.ts";

const past = new Date("2026-05-31T00:00:00Z");
const SIGNS = keyUsage("keyCertSign", "cRLSign");
const flip = (at: number) => (report: Uint8Array) => {
  const changed = report.slice();
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
};

/** Every defect. */
export const GPU_DEFECTS: readonly Defect<GpuChanges, JudgeRequest>[] = defectsOf<
  GpuChanges,
  JudgeRequest
>([
  ["another message", ["gpu.format"], { before: flip(1) }],
  ["another answer", ["gpu.format"], { before: flip(38) }],
  ["cut short", ["gpu.format"], { after: (report) => report.subarray(0, -1) }],
  [
    "something after the signature",
    ["gpu.format"],
    { after: (report) => Uint8Array.of(...report, 1) },
  ],
  ["a record that is longer than said", ["gpu.format"], { before: flip(42) }],
  [
    "one measurement twice",
    ["gpu.format"],
    {
      blocks: [
        [1, new Uint8Array(48)],
        [1, new Uint8Array(48)],
      ],
    },
  ],
  ["a root nobody trusts", ["path.anchor"], {}, { anchors: [] }],
  ["device that a stranger signed", ["path.signatures"], { issuerKey: newKeys("p384").privateKey }],
  [
    "model that is no CA",
    ["path.ca"],
    { modelChange: { extensions: [basicConstraints(false), SIGNS] } },
  ],
  [
    "model that may not sign",
    ["path.key-usage"],
    { modelChange: { extensions: [basicConstraints(true), keyUsage("cRLSign")] } },
  ],
  [
    "root that allows no model",
    ["path.path-length"],
    { rootChange: { extensions: [basicConstraints(true, 0), SIGNS] } },
  ],
  [
    "unknown critical extension",
    ["path.critical-extensions"],
    {
      leafChange: {
        extensions: [
          firmwareExtension(),
          { oid: "2.25.1", critical: true, value: Uint8Array.of(5, 0) },
        ],
      },
    },
  ],
  ["expired device", ["path.validity"], { leafChange: { notAfter: past } }],
  [
    "revoked model",
    ["gpu.revocation"],
    {
      lists: async ([, model, root]) => {
        const revoked = [{ serial: serialOf(model), at: PARTY_FROM }];
        return [await newList(root, { revoked }), await newList(model)];
      },
    },
  ],
  ["signed by another key", ["gpu.signature"], { signer: newKeys("p384").privateKey }],
  ["nonce changed after signing", ["gpu.signature", "gpu.nonce"], { after: flip(5) }],
  ["other firmware than certified", ["gpu.fwid"], { certified: new Uint8Array(48) }],
  ["another nonce", ["gpu.nonce"], {}, { nonce: new Uint8Array(32) }],
  ["report data", ["gpu.report-data"], {}, { reportData: new Uint8Array(64) }],
  [
    "another measurement",
    ["expect.measurements.1"],
    {},
    { expect: new Map([["measurements.1", ["00"]]]) },
  ],
]);
