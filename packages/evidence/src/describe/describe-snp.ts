// What a report says, as it stands. How its security versions are laid out depends on the product line, which the report
// names by its processor since version 3; before that the certificate that signs it does.
import type { Certificate } from "@holdfast/core";
import { EvidenceError } from "../errors.ts";
import { type SnpClaims, snpClaims } from "../snp/claims.ts";
import { isSnpLeaf, parseSnpLeaf } from "../snp/leaf.ts";
import type { SnpReport } from "../snp/report.ts";
import type { SnpProduct } from "../snp/tcb.ts";

const TURIN_FAMILY = 0x1a;
const SIGNING_KEY = 2;
const VLEK = 1;

/** Claims of a report. */
export function describeSnp(
  report: SnpReport,
  certificates: readonly Certificate[] = [],
): SnpClaims {
  const named = certificates.filter(isSnpLeaf).flatMap(productsOf)[0];
  const kind = ((report.keyInfo >> SIGNING_KEY) & 7) === VLEK ? "vlek" : "vcek";
  const { product, ...claims } = snpClaims(report, { kind, product: named ?? layoutOf(report) });
  // Milan and Genoa share a layout: which of them it is, only a certificate tells.
  const known = named !== undefined || product === "turin";
  return known ? { ...claims, product } : (claims as SnpClaims);
}

function productsOf(certificate: Certificate): SnpProduct[] {
  try {
    return [parseSnpLeaf(certificate).product];
  } catch (thrown) {
    if (!(thrown instanceof EvidenceError)) throw thrown;
    return [];
  }
}

function layoutOf({ cpuid }: SnpReport): SnpProduct {
  return cpuid?.family === TURIN_FAMILY ? "turin" : "milan";
}
