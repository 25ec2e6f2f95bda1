// What a Nitro document says, under the names that every door of the platform uses.
import { toHex } from "@holdfast/core";
import type { NitroDocument } from "./document.ts";

/** Claims of a document; byte strings are lower-case hexadecimal. */
export interface NitroClaims {
  readonly moduleId: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly digest: string;
  readonly pcrCount: number;
  /** By index. A PCR that is all zeros was never extended. */
  readonly nonZeroPcrs: Readonly<Record<string, string>>;
  readonly publicKey: string | null;
  readonly userData: string | null;
  readonly nonce: string | null;
}

/** The claims of a document. */
export function nitroClaims(document: NitroDocument): NitroClaims {
  const hexOrNull = (bytes: Uint8Array | undefined): string | null =>
    bytes === undefined ? null : toHex(bytes);
  const extended = [...document.pcrs].filter(([, value]) => !isZero(value));
  return {
    moduleId: document.moduleId,
    timestamp: document.timestamp,
    digest: document.digest,
    pcrCount: document.pcrs.size,
    nonZeroPcrs: Object.fromEntries(
      extended.toSorted(([a], [b]) => a - b).map(([index, value]) => [index, toHex(value)]),
    ),
    publicKey: hexOrNull(document.publicKey),
    userData: hexOrNull(document.userData),
    nonce: hexOrNull(document.nonce),
  };
}

/** What policies and certificates call the measurement: the first 32 bytes of PCR0, lower-case hexadecimal. */
export function nitroMeasurement({ nonZeroPcrs }: NitroClaims): string | undefined {
  return nonZeroPcrs["0"]?.slice(0, 64);
}

/** Whether the enclave runs in debug mode: PCR0 to 2 are zero then. The others, PCR3 and 4 among them, are not. */
export function isNitroDebug({ pcrs }: Pick<NitroDocument, "pcrs">): boolean {
  return [0, 1, 2].every((index) => isZero(pcrs.get(index) ?? new Uint8Array()));
}

/** Whether all bytes are zero; true for none. */
export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
