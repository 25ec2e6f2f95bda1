// TCB versions of AMD platforms: eight bytes, each a security version of its own. They compare part by part, never as
// one number. Family 1Ah (Turin) lays them out differently.
import { toHex } from "@holdfast/core";

/** Security versions by part; `fmc` only where the platform has one. */
export interface SnpTcb {
  readonly bl: number;
  readonly tee: number;
  readonly snp: number;
  readonly ucode: number;
  readonly fmc?: number;
}

/** Product lines. */
export type SnpProduct = "milan" | "genoa" | "turin";

/** Reads a TCB version as the product lays it out. */
export function parseTcb(bytes: Uint8Array, product: SnpProduct): SnpTcb {
  const at = (index: number): number => bytes[index] ?? 0;
  return product === "turin"
    ? { bl: at(1), tee: at(2), snp: at(3), ucode: at(7), fmc: at(0) }
    : { bl: at(0), tee: at(1), snp: at(6), ucode: at(7) };
}

/** Whether every part of a version is at least that of another. */
export function atLeast(have: SnpTcb, least: SnpTcb): boolean {
  return (
    have.bl >= least.bl &&
    have.tee >= least.tee &&
    have.snp >= least.snp &&
    have.ucode >= least.ucode &&
    (have.fmc ?? 0) >= (least.fmc ?? 0)
  );
}

/** Whether two versions are the same in every part. */
export function sameTcb(left: SnpTcb, right: SnpTcb): boolean {
  return atLeast(left, right) && atLeast(right, left);
}

/** For people: `bootloader 4, TEE 0, SNP 24, microcode 219`. */
export function tcbText({ bl, tee, snp, ucode, fmc }: SnpTcb): string {
  const front = fmc === undefined ? "" : `FMC ${fmc}, `;
  return `${front}bootloader ${bl}, TEE ${tee}, SNP ${snp}, microcode ${ucode}`;
}

/**
 * The product line of a processor by its CPUID: model ranges, for Bergamo and Siena are Genoa to the firmware.
 * @returns undefined for processors without SEV-SNP, and those not known here
 */
export function productOf(family: number, model: number): SnpProduct | undefined {
  if (family === 0x19 && model <= 0x0f) return "milan";
  if (family === 0x19 && ((model >= 0x10 && model <= 0x1f) || (model >= 0xa0 && model <= 0xaf))) {
    return "genoa";
  }
  if (family === 0x1a && model <= 0x1f) return "turin";
  return undefined;
}

/** Eight bytes of a version in hexadecimal, as they stand in a report. */
export function tcbHex(bytes: Uint8Array): string {
  return toHex(bytes);
}
