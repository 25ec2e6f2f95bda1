// Every reader of untrusted bytes in packages/core and packages/evidence, by name, and what each starts from.
import {
  canonicalJson,
  type DerNode,
  derChildren,
  fromBase64,
  fromBase64Url,
  fromHex,
  fromPem,
  parseCertificate,
  parseCertificationRequest,
  parseRevocationList,
  readDer,
  toText,
  webCrypto,
} from "../../packages/core/src/index.ts";
import { parsePsaToken } from "../../packages/evidence/src/arm/psa.ts";
import { parseOldEvents } from "../../packages/evidence/src/eventlog/old-log.ts";
import {
  describeEvidence,
  imageDigest,
  parseAzureJson,
  parseCollateralBundle,
  parseEarToken,
  parseEnclaveReport,
  parseEventLog,
  parseGpuReport,
  parseHclReport,
  parseNitroDocument,
  parsePublicArea,
  parseQuote,
  parseRecord,
  parseSign1,
  parseSnpJson,
  parseSnpReport,
  parseTdFirmware,
  parseTdReport,
  parseTpmJson,
  parseTpmQuote,
  parseTpmSignature,
  readCbor,
  readEndorsements,
  recogniseEvidence,
  replayEventLog,
  tdxLaunchDigest,
} from "../../packages/evidence/src/index.ts";
import { parseEnclaveIdentity } from "../../packages/evidence/src/intel/enclave-identity.ts";
import { parsePckExtension } from "../../packages/evidence/src/intel/pck.ts";
import { parseTcbInfo } from "../../packages/evidence/src/intel/tcb-info.ts";
import { jsonObject } from "../../packages/evidence/src/json/members.ts";
import { parseSevFirmware } from "../../packages/evidence/src/launch/firmware.ts";
import { readGpuEvidence } from "../../packages/evidence/src/nvidia/json-evidence.ts";
import { parseRaTls } from "../../packages/evidence/src/ratls/certificate.ts";
import { parseEnarxRequest } from "../../packages/evidence/src/ratls/enarx-request.ts";
import {
  parseSevAuthority,
  parseSevCertificate,
} from "../../packages/evidence/src/sev/certificates.ts";
import { readSnpEvidence } from "../../packages/evidence/src/snp/evidence.ts";
import { parseSnpLeaf } from "../../packages/evidence/src/snp/leaf.ts";
import { parsePcrFile } from "../../packages/evidence/src/tpm/pcr-file.ts";

/** A reader; what it gives is not looked at, only what it throws. */
export type Reader = (bytes: Uint8Array) => unknown;

/** Readers by name. Those of text read the bytes as text first, as their callers do. */
export const READERS: Readonly<Record<string, Reader>> = {
  DER: (bytes) => walk(readDer(bytes), 0),
  certificate: parseCertificate,
  "certification request": parseCertificationRequest,
  "revocation list": parseRevocationList,
  PEM: (bytes) => fromPem("CERTIFICATE", toText(bytes)),
  hexadecimal: (bytes) => fromHex(toText(bytes)),
  base64: (bytes) => fromBase64(toText(bytes)),
  base64url: (bytes) => fromBase64Url(toText(bytes)),
  "canonical JSON": (bytes) => canonicalJson(jsonObject(toText(bytes)) as never),
  "PCK extension": (bytes) => parsePckExtension(parseCertificate(bytes)),
  "SNP leaf": (bytes) => parseSnpLeaf(parseCertificate(bytes)),
  CBOR: (bytes) => readCbor(bytes),
  COSE: parseSign1,
  "Nitro document": parseNitroDocument,
  quote: parseQuote,
  "enclave report": parseEnclaveReport,
  "TD report": parseTdReport,
  "TCB information": (bytes) => parseTcbInfo(toText(bytes)),
  "QE identity": (bytes) => parseEnclaveIdentity(toText(bytes)),
  "SNP report": parseSnpReport,
  "SNP with certificates": (bytes) => readSnpEvidence({ type: "sev-snp", form: "binary", bytes }),
  "SNP JSON": (bytes) => parseSnpJson(jsonObject(toText(bytes))),
  "SEV authority": parseSevAuthority,
  "SEV certificate": parseSevCertificate,
  firmware: parseSevFirmware,
  "TD firmware": parseTdFirmware,
  "Azure JSON": (bytes) => parseAzureJson(jsonObject(toText(bytes))),
  "HCL report": parseHclReport,
  "TPM quote": parseTpmQuote,
  "TPM signature": parseTpmSignature,
  "TPM public area": parsePublicArea,
  "TPM JSON": (bytes) => parseTpmJson(jsonObject(toText(bytes))),
  "PCR file": parsePcrFile,
  "GPU report": parseGpuReport,
  "GPU JSON": (bytes) =>
    readGpuEvidence({ type: "nvidia-gpu", form: "json", object: jsonObject(toText(bytes)) }),
  "RA-TLS certificate": parseRaTls,
  "Enarx request": parseEnarxRequest,
  "EAR token": parseEarToken,
  "PSA token": parsePsaToken,
  "event log": parseEventLog,
  "older event log": parseOldEvents,
  "audit record": (bytes) => parseRecord(toText(bytes)),
  endorsements: (bytes) => readEndorsements([{ name: "fuzz", bytes }]),
  evidence: recogniseEvidence,
};

/** Readers that answer later. */
export const LATER: Readonly<Record<string, (bytes: Uint8Array) => Promise<unknown>>> = {
  "event log replayed": async (bytes) =>
    await replayEventLog(parseEventLog(bytes), "sha384", webCrypto),
  "collateral bundle": async (bytes) => await parseCollateralBundle(bytes, webCrypto),
  "TD digest": async (bytes) => await tdxLaunchDigest(bytes, webCrypto),
  "image digest": async (bytes) => await imageDigest(bytes, "SHA-384", webCrypto),
  "evidence described": async (bytes) => await describeEvidence(bytes, { crypto: webCrypto }),
};

/** Every element of every element, as far as certificates nest. */
function walk(node: DerNode, depth: number): void {
  if (depth > 32 || (node.tag & 0x20) === 0) return;
  for (const child of derChildren(node)) walk(child, depth + 1);
}
