// The one DCAP verifier on npm, over a real quote with its collateral of a day, beside ours over the same.
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { verify } from "@phala/dcap-qvl";
import {
  type EvidenceRequest,
  readEndorsements,
  verifyEvidence,
} from "../../packages/evidence/src/index.ts";

const FOLDER = resolve(import.meta.dirname, "../../../shared/vectors/evidence");
const QUOTE = "tdx/phala.quote.bin";
const COLLATERAL = "collateral/phala-tdx-2025-06.json";
const AT = new Date("2025-06-19T11:32:27Z");

/** Two ways to verify the same quote; nothing when the sample is not there. */
export function peers(
  crypto: EvidenceRequest["crypto"],
): { readonly ours: () => Promise<void>; readonly theirs: () => void } | undefined {
  if (!existsSync(FOLDER)) return undefined;
  const quote = readFileSync(resolve(FOLDER, QUOTE));
  const text = readFileSync(resolve(FOLDER, COLLATERAL));
  const collateral = JSON.parse(text.toString("utf8"), (name, value) =>
    typeof value === "string" && /_(crl|signature)$/.test(name) ? Buffer.from(value, "hex") : value,
  );
  const endorsements = readEndorsements([{ name: COLLATERAL, bytes: new Uint8Array(text) }]);
  const request = { at: AT, crypto, endorsements };
  return {
    ours: async () => {
      const { verdict } = await verifyEvidence(new Uint8Array(quote), request);
      if (verdict !== "affirmed") throw new Error(`ours says ${verdict}`);
    },
    theirs: () => {
      const { status } = verify(quote, collateral, AT.getTime() / 1000);
      if (status !== "UpToDate") throw new Error(`theirs says ${status}`);
    },
  };
}
