// How a quote names its platform when it carries no certificate (certification data of type 1 to 3: PPID in the clear, or
// encrypted to Intel under RSA-2048 or RSA-3072; then CPUSVN, PCESVN and PCEID). Whoever verifies must have the certificate
// from elsewhere, and hold it against the name.
import { equalBytes, toHex } from "@holdfast/core";
import { ByteCursor } from "../binary/cursor.ts";
import type { PckExtension } from "./pck.ts";
import type { CertificationData } from "./quote.ts";

/** A platform's name. */
export interface PlatformName {
  /** In the clear. */
  readonly ppid?: Uint8Array;
  readonly encryptedPpid?: Uint8Array;
  readonly cpuSvn: Uint8Array;
  /** Two bytes, little-endian. */
  readonly pceSvn: Uint8Array;
  /** Two bytes; older producers leave it out. */
  readonly pceId?: Uint8Array;
}

/** Length of the PPID by type of certification data. */
const PPID_LENGTHS: ReadonlyMap<number, number> = new Map([
  [1, 16],
  [2, 256],
  [3, 384],
]);
const CLEAR = 1;
const REST = 16 + 2;

/** The name; undefined when certification data names nothing, or by no form known here. */
export function platformNameOf({ type, data }: CertificationData): PlatformName | undefined {
  const length = PPID_LENGTHS.get(type);
  if (length === undefined) return undefined;
  const hasPceId = data.length === length + REST + 2;
  if (!hasPceId && data.length !== length + REST) return undefined;
  const cursor = new ByteCursor(data, "little", "platform name");
  const ppid = cursor.bytes(length, "PPID");
  const [cpuSvn, pceSvn] = [cursor.bytes(16, "CPUSVN"), cursor.bytes(2, "PCESVN")];
  return {
    ...(type === CLEAR ? { ppid } : { encryptedPpid: ppid }),
    cpuSvn,
    pceSvn,
    ...(hasPceId ? { pceId: cursor.bytes(2, "PCEID") } : {}),
  };
}

/** Why a certificate is of another platform than the one named; undefined when it may be the one. */
export function otherPlatform(
  { ppid, pceId }: PlatformName,
  pck: PckExtension,
): string | undefined {
  if (ppid !== undefined && !equalBytes(ppid, pck.ppid)) {
    return `the quote names PPID ${toHex(ppid)}, the certificate ${toHex(pck.ppid)}`;
  }
  if (pceId !== undefined && !equalBytes(pceId, pck.pceId)) {
    return `the quote names PCEID ${toHex(pceId)}, the certificate ${toHex(pck.pceId)}`;
  }
  return undefined;
}
