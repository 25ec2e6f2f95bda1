// A TPM quote as tools leave it: the quote in one file, signature, public area and PCR values in others beside it.
import { HoldfastError } from "@holdfast/core";
import type { Endorsements } from "../endorsements/endorsements.ts";
import { malformed } from "../errors.ts";
import { jsonObject } from "../json/members.ts";
import { banksOf, type PcrValues, type TpmEvidence } from "./evidence.ts";
import { parsePcrFile } from "./pcr-file.ts";
import { type PublicArea, parsePublicArea } from "./public-area.ts";
import { parseTpmSignature, type TpmSignature } from "./signature.ts";

/**
 * Evidence of a quote and the files beside it.
 * @throws EvidenceError EVIDENCE_MALFORMED when the signature or the PCR values are missing
 */
export function assembleTpm(quote: Uint8Array, { parts }: Endorsements): TpmEvidence {
  const found = <T>(read: (bytes: Uint8Array) => T): T | undefined => {
    for (const { bytes } of parts) {
      try {
        return read(bytes);
      } catch (thrown) {
        if (!(thrown instanceof HoldfastError)) throw thrown;
        // Another of the parts.
      }
    }
    return undefined;
  };
  const signature: TpmSignature | undefined = found(parseTpmSignature);
  const pcrs: PcrValues | undefined = found(readPcrs) ?? found(parsePcrFile);
  const area: PublicArea | undefined = found(parsePublicArea);
  if (signature === undefined) throw malformed("TPM quote: no signature stands beside it");
  if (pcrs === undefined) throw malformed("TPM quote: no PCR values stand beside it");
  return { quote, signature, pcrs, ...(area === undefined ? {} : { area }) };
}

function readPcrs(bytes: Uint8Array): PcrValues {
  const object = jsonObject(new TextDecoder().decode(bytes));
  const values = banksOf(object);
  if (values.size === 0) throw malformed("no PCR values");
  return values;
}
