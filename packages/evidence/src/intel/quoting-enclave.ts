// Checks of the quoting enclave: the platform vouches for its report, the report for the attestation key, and Intel for the
// enclave.
import {
  type Certificate,
  type Check,
  check,
  concat,
  equalBytes,
  fromHex,
  notPerformed,
  toHex,
} from "@holdfast/core";
import type { JudgeRequest } from "../judge/request.ts";
import type { EnclaveIdentity } from "./enclave-identity.ts";
import type { Quote } from "./quote.ts";

const P256 = { kind: "ecdsa", curve: "P-256", hash: "SHA-256" } as const;

/** The PCK key signed the quoting enclave's report. */
export async function qeSignatureCheck(
  quote: Quote,
  { spki, key }: Certificate,
  { crypto }: JudgeRequest,
): Promise<Check> {
  const fits = key.kind === "ec" && key.curve === "P-256";
  const signed =
    fits && (await crypto.verify(P256, spki, quote.qeReportSignature, quote.qeReportBytes));
  return check(
    "qe.signature",
    signed,
    signed ? "the platform's key signed the QE report" : "the QE report's signature is wrong",
  );
}

/** The report data of the quoting enclave is the hash of the attestation key and its auth data, and nothing else. */
export async function qeBindingCheck(quote: Quote, { crypto }: JudgeRequest): Promise<Check> {
  const hash = await crypto.digest("SHA-256", concat(quote.attestationKey, quote.qeAuthData));
  const wanted = concat(hash, new Uint8Array(32));
  const bound = equalBytes(quote.qeReport.reportData, wanted);
  return check(
    "qe.binding",
    bound,
    bound
      ? "the QE report is over the attestation key"
      : `QE report data ${toHex(quote.qeReport.reportData)}, ${toHex(wanted)} expected`,
  );
}

/** The quoting enclave is Intel's. */
export function qeIdentityCheck(quote: Quote, identity: EnclaveIdentity | undefined): Check {
  const name = "qe.identity";
  if (identity === undefined) return notPerformed(name, "no verified QE identity");
  const { qeReport } = quote;
  const faults = [
    masked(qeReport.miscSelect, identity.miscSelectMask) ===
    masked(fromHex(identity.miscSelect), identity.miscSelectMask)
      ? []
      : ["MISCSELECT"],
    masked(qeReport.attributes, identity.attributesMask) ===
    masked(fromHex(identity.attributes), identity.attributesMask)
      ? []
      : ["ATTRIBUTES"],
    toHex(qeReport.mrSigner) === identity.mrSigner ? [] : ["MRSIGNER"],
    qeReport.isvProdId === identity.isvProdId ? [] : ["ISVPRODID"],
  ].flat();
  return check(
    name,
    faults.length === 0,
    faults.length === 0
      ? `the quoting enclave is Intel's, version ${qeReport.isvSvn}`
      : `not Intel's quoting enclave: ${faults.join(", ")} differ`,
  );
}

function masked(bytes: Uint8Array, mask: string): string {
  const bits = fromHex(mask);
  return toHex(bytes.map((byte, index) => byte & (bits[index] ?? 0)));
}
