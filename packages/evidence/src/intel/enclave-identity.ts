// Identity of Intel's quoting enclaves (PCS API v4, get quoting enclave identity): what a genuine one must be.
import { malformed } from "../errors.ts";
import { hexOf, itemsOf, jsonObject, numberOf, textOf, timeOf } from "../json/members.ts";
import { type IsvLevel, parseIsvLevel } from "./tcb-info.ts";

/** An identity, read but not verified. */
export interface EnclaveIdentity {
  readonly id: "QE" | "TD_QE";
  readonly issueDate: Date;
  readonly nextUpdate: Date;
  readonly tcbEvaluationDataNumber: number;
  /** Hexadecimal, each with the mask that it is compared under. */
  readonly miscSelect: string;
  readonly miscSelectMask: string;
  readonly attributes: string;
  readonly attributesMask: string;
  readonly mrSigner: string;
  readonly isvProdId: number;
  /** Newest first. */
  readonly levels: readonly IsvLevel[];
}

/**
 * Reads an identity.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function parseEnclaveIdentity(text: string): EnclaveIdentity {
  const identity = jsonObject(text);
  const version = numberOf(identity, "version", 2);
  if (version !== 2) throw malformed(`enclave identity of version ${version}, 2 expected`);
  const id = textOf(identity, "id");
  if (id !== "QE" && id !== "TD_QE") throw malformed(`enclave identity of ${id}`);
  return {
    id,
    issueDate: timeOf(identity, "issueDate"),
    nextUpdate: timeOf(identity, "nextUpdate"),
    tcbEvaluationDataNumber: numberOf(identity, "tcbEvaluationDataNumber", 2 ** 31),
    miscSelect: hexOf(identity, "miscselect", 4),
    miscSelectMask: hexOf(identity, "miscselectMask", 4),
    attributes: hexOf(identity, "attributes", 16),
    attributesMask: hexOf(identity, "attributesMask", 16),
    mrSigner: hexOf(identity, "mrsigner", 32),
    isvProdId: numberOf(identity, "isvprodid", 65_535),
    levels: itemsOf(identity, "tcbLevels").map(parseIsvLevel),
  };
}
