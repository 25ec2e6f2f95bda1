// The one DCAP verifier on npm, over real quotes with their collateral of a day, beside ours over the same.
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { verify } from "@phala/dcap-qvl";
import { createNodeCrypto } from "../../packages/channel/src/index.ts";
import type { CryptoPort } from "../../packages/core/src/index.ts";
import {
  type Endorsements,
  readEndorsements,
  verifyEvidence,
} from "../../packages/evidence/src/index.ts";
import type { Subject } from "./measure.ts";

const FOLDER = resolve(import.meta.dirname, "../../../shared/vectors/evidence");
const SAMPLES = [
  [
    "TDX quote v4",
    "tdx/phala.quote.bin",
    "collateral/phala-tdx-2025-06.json",
    "2025-06-19T11:32:27Z",
  ],
  [
    "SGX quote v3",
    "sgx/phala.quote.bin",
    "collateral/phala-sgx-2025-06.json",
    "2025-06-19T11:56:11Z",
  ],
] as const;

/** Ways to verify the same quote: ours first. */
export interface Pairing {
  readonly name: string;
  readonly subjects: readonly Subject[];
}

/** Pairings over real quotes; none when the samples are not there. */
export function pairings(): Pairing[] {
  if (!existsSync(FOLDER)) return [];
  return SAMPLES.map(([name, quoteFile, collateralFile, time]) => {
    const quote = readFileSync(resolve(FOLDER, quoteFile));
    const text = readFileSync(resolve(FOLDER, collateralFile));
    const files = [{ name: collateralFile, bytes: new Uint8Array(text) }];
    const at = new Date(time);
    const intel = { tcbStatuses: ["UpToDate", "ConfigurationAndSWHardeningNeeded"] } as const;
    const ours = async (crypto: CryptoPort, endorsements: Endorsements) => {
      const request = { at, crypto, intel, endorsements };
      const { verdict } = await verifyEvidence(new Uint8Array(quote), request);
      if (verdict !== "affirmed") throw new Error(`${name}: ours says ${verdict}`);
    };
    const kept = readEndorsements(files);
    const seen = createNodeCrypto();
    const collateral = JSON.parse(text.toString("utf8"), (member, value) =>
      typeof value === "string" && /_(crl|signature)$/.test(member)
        ? Buffer.from(value, "hex")
        : value,
    );
    return {
      name,
      subjects: [
        { name: "holdfast, new verifier", run: () => ours(createNodeCrypto(), kept) },
        {
          name: "holdfast, new verifier, reads its files",
          run: () => ours(createNodeCrypto(), readEndorsements(files)),
        },
        { name: "holdfast, platform seen before", run: () => ours(seen, kept) },
        {
          name: "@phala/dcap-qvl",
          run: () => {
            verify(quote, collateral, at.getTime() / 1000);
          },
        },
      ],
    };
  });
}
