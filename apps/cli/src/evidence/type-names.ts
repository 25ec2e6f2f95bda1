// Kinds of evidence by the names people use for them: ours, other verifiers', and the formats' own.
import { EVIDENCE_TYPES, type EvidenceType } from "@holdfast/evidence";

/** What a kind of evidence is, in words. */
export const TYPE_IN_WORDS: Readonly<Record<EvidenceType, string>> = {
  nitro: "AWS Nitro attestation document",
  "sev-snp": "AMD SEV-SNP report",
  sgx: "Intel SGX quote",
  tdx: "Intel TDX quote",
  azure: "Azure vTPM evidence",
  tpm: "TPM 2.0 quote",
  psa: "Arm PSA token",
  cca: "Arm CCA token",
  "nvidia-gpu": "NVIDIA GPU report",
  "event-log": "event log of measured boot",
  "ra-tls": "RA-TLS certificate",
  "enarx-csr": "attested certificate request (Enarx)",
  ear: "attestation result of another verifier (EAR)",
};

/** Tried in order: what carries other evidence stands before what it carries. */
const NAMES: readonly (readonly [EvidenceType, RegExp])[] = [
  ["ra-tls", /ra-?tls/],
  ["enarx-csr", /enarx|csr|certificate request/],
  ["azure", /azure|\baz\b|az-|hcl/],
  ["event-log", /ccel|event-?\s?log/],
  ["nvidia-gpu", /nvidia|gpu|hopper/],
  ["nitro", /nitro/],
  ["sev-snp", /snp/],
  ["tdx", /tdx/],
  ["sgx", /sgx/],
  ["cca", /\bcca\b/],
  ["psa", /\bpsa\b/],
  ["tpm", /tpm/],
  ["ear", /\bear\b|jwt/],
];

/** A kind by any of its names. */
export function parseTypeName(text: string): EvidenceType | undefined {
  const name = text.trim().toLowerCase().replaceAll("_", "-");
  return (
    EVIDENCE_TYPES.find((type) => type === name) ??
    NAMES.find(([, pattern]) => pattern.test(name))?.[0]
  );
}
