// The door of testkit: throw-away roots, evidence with exactly one defect, certificates. For tests only.
export { simulatedPcrs } from "@holdfast/attester";
export * from "./arm/defects.ts";
export * from "./arm/world.ts";
export * from "./azure/defects.ts";
export * from "./azure/world.ts";
export * from "./defect.ts";
export * from "./ear/defects.ts";
export * from "./ear/world.ts";
export * from "./eventlog/defects.ts";
export * from "./eventlog/log.ts";
export * from "./intel/defects.ts";
export { INTEL_OPEN, type IntelDefect } from "./intel/path-defects.ts";
export {
  COMPONENTS,
  ENCRYPTED_PPID,
  type IntelChanges,
  type IntelWorld,
  newIntelEvidence,
  newIntelWorld,
  newPck,
  PPID,
  pckExtension,
  platformName,
  REPORT_DATA,
} from "./intel/world.ts";
export * from "./launch/firmware.ts";
export * from "./launch/pe-image.ts";
export * from "./launch/td-firmware.ts";
export * from "./nitro/chain-defects.ts";
export * from "./nitro/content-defects.ts";
export * from "./nitro/defect.ts";
export * from "./nitro/format-defects.ts";
export * from "./nitro/world.ts";
export * from "./nvidia/defects.ts";
export * from "./nvidia/world.ts";
export * from "./pki/party.ts";
export * from "./ratls/defects.ts";
export * from "./ratls/world.ts";
export * from "./sev/defects.ts";
export * from "./sev/world.ts";
export * from "./snp/defects.ts";
export * from "./snp/report.ts";
export * from "./snp/world.ts";
export * from "./tpm/defects.ts";
export * from "./tpm/pcr-file.ts";
export * from "./tpm/world.ts";
export * from "./vectors.ts";
