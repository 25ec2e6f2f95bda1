// The door of evidence: parse and judge evidence. Pure: bytes, trust anchors and time in, an appraisal out.
export * from "./appraisal.ts";
export { CCA_CHECKS, type CcaClaims, verifyCca } from "./arm/cca.ts";
export type { ArmComponent } from "./arm/claims.ts";
export type { ArmPolicy } from "./arm/policy.ts";
export { type ArmRequest, PSA_CHECKS, type PsaClaims, verifyPsa } from "./arm/psa.ts";
export * from "./audit/basis.ts";
export * from "./audit/chain.ts";
export * from "./audit/record.ts";
export { type AzureEvidence, parseAzureJson } from "./azure/evidence.ts";
export { type HclReport, parseHclReport } from "./azure/hcl-report.ts";
export { type AzureClaims, type AzureRequest, verifyAzure } from "./azure/verify.ts";
export { describe, judge, type PageRequest } from "./browser/verifier.ts";
export * from "./cbor/read.ts";
export * from "./cbor/values.ts";
export * as cborWrite from "./cbor/write.ts";
export * from "./cose/sign1.ts";
export {
  type DescribeOptions,
  type Description,
  describeEvidence,
} from "./describe/describe-evidence.ts";
export * from "./ear/encode.ts";
export { type EarResult, type EarToken, parseEarToken } from "./ear/token.ts";
export { EAR_CHECKS, type EarTokenClaims, verifyEar } from "./ear/verify.ts";
export { type CollateralWindow, judgeCollateral } from "./endorsements/admit.ts";
export {
  type BundleItem,
  type BundleKind,
  bundleItems,
  type CollateralBundle,
  encodeCollateralBundle,
  isCollateralBundle,
  parseCollateralBundle,
  unpackBundles,
} from "./endorsements/bundle.ts";
export * from "./endorsements/endorsements.ts";
export * from "./endorsements/intel-document.ts";
export { type CollateralNeed, collateralNeeds, type SnpKey } from "./endorsements/needs.ts";
export {
  type EndorsementFile,
  MAXIMUM_ENDORSEMENT,
  MAXIMUM_ENDORSEMENTS,
  mergeEndorsements,
  readEndorsements,
} from "./endorsements/read.ts";
export * from "./endorsements/trusted-key.ts";
export * from "./errors.ts";
export {
  type EventLog,
  type MeasuredEvent,
  parseEventLog,
  replayEventLog,
} from "./eventlog/event-log.ts";
export { type EventLogClaims, verifyEventLog } from "./eventlog/verify.ts";
export type {
  IntelPlatformClaims,
  SgxClaims,
  TdxClaims,
} from "./intel/claims.ts";
export {
  type EnclaveReport,
  parseEnclaveReport,
  SGX_REPORT_LENGTH,
} from "./intel/enclave-report.ts";
export { intelRoot, SGX_EXTENSION } from "./intel/pck.ts";
export type { IntelPolicy } from "./intel/policy.ts";
export { MAXIMUM_QUOTE, parseQuote, type Quote } from "./intel/quote.ts";
export type { TcbStatus } from "./intel/tcb-status.ts";
export { parseTdReport, type TdReport } from "./intel/td-report.ts";
export { type IntelClaims, type IntelRequest, verifyQuote } from "./intel/verify.ts";
export type { Expectations, JudgeRequest } from "./judge/request.ts";
export {
  type LaunchedGuest,
  type LaunchedGuestWithProcessors,
  sevEsLaunchDigest,
  sevLaunchDigest,
  snpLaunchDigest,
} from "./launch/digest.ts";
export { type MetadataSection, parseSevFirmware, type SevFirmware } from "./launch/firmware.ts";
export { imageDigest } from "./launch/image-digest.ts";
export type { StartedKernel } from "./launch/kernel-hashes.ts";
export {
  checkSevLaunch,
  type SevLaunch,
  type SevLaunchPolicy,
  sevLaunchMeasure,
} from "./launch/measure.ts";
export {
  type Hypervisor,
  type ProcessorStart,
  processorSignature,
  QEMU_PROCESSORS,
} from "./launch/save-area.ts";
export { type TdBootRegisters, tdxBootRegisters } from "./launch/td-boot.ts";
export {
  parseTdFirmware,
  type TdPageOrder,
  type TdSection,
  tdxLaunchDigest,
} from "./launch/td-digest.ts";
export * from "./nitro/claims.ts";
export * from "./nitro/document.ts";
export * from "./nitro/request.ts";
export * from "./nitro/root.ts";
export * from "./nitro/verify.ts";
export { type GpuReport, parseGpuReport } from "./nvidia/report.ts";
export { nvidiaRoot } from "./nvidia/root.ts";
export { GPU_CHECKS, type GpuClaims, verifyGpu } from "./nvidia/verify.ts";
export { type RaTlsClaims, TAGGED_EVIDENCE, verifyRaTls } from "./ratls/certificate.ts";
export {
  ENARX_SGX,
  ENARX_SNP,
  type EnarxAppraisal,
  type EnarxClaims,
  type EnarxRequest,
  verifyEnarxRequest,
} from "./ratls/enarx-request.ts";
export * from "./recognise.ts";
export * from "./reference/match.ts";
export {
  parseSevAuthority,
  parseSevCertificate,
  type SevAuthority,
  type SevCertificate,
} from "./sev/certificates.ts";
export { SEV_CHAIN_CHECKS, type SevChain, verifySevChain } from "./sev/chain.ts";
export * from "./snp/authorities.ts";
export * from "./snp/claims.ts";
export { parseSnpJson } from "./snp/json-report.ts";
export { AMD_EXTENSION } from "./snp/leaf.ts";
export type { SnpPolicy } from "./snp/policy.ts";
export { parseSnpReport, SNP_REPORT_LENGTH, type SnpReport } from "./snp/report.ts";
export type { SnpProduct, SnpTcb } from "./snp/tcb.ts";
export { SNP_CHECKS, type SnpRequest, verifySnp } from "./snp/verify.ts";
export { parseTpmQuote, type TpmQuote } from "./tpm/attest.ts";
export { assembleTpm } from "./tpm/companions.ts";
export { EK_CHECKS, judgeEndorsementKey } from "./tpm/endorsement-key.ts";
export { type PcrValues, parseTpmJson, type TpmEvidence } from "./tpm/evidence.ts";
export { nameOf, type PublicArea, parsePublicArea } from "./tpm/public-area.ts";
export { parseTpmSignature, type TpmSignature } from "./tpm/signature.ts";
export {
  TPM_CHECKS,
  type TpmClaims,
  type TpmPolicy,
  type TpmRequest,
  verifyTpm,
} from "./tpm/verify.ts";
export * from "./trust-vector.ts";
export { type EvidenceRequest, verifyEvidence } from "./verify-evidence.ts";
