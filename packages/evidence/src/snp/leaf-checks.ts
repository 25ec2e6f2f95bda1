// Checks that tie a report to the certificate it is signed under: kind of key, product, TCB and chip.
import {
  type Certificate,
  type Check,
  check,
  equalBytes,
  nameAttribute,
  toHex,
} from "@holdfast/core";
import type { SnpLeaf } from "./leaf.ts";
import type { SnpReport } from "./report.ts";
import { parseTcb, productOf, sameTcb, tcbText } from "./tcb.ts";

const SIGNING_KEYS: Readonly<Record<number, SnpLeaf["kind"]>> = { 0: "vcek", 1: "vlek" };
const CHIP_KEY_MASKED = 2;

/** The report says it was signed by the kind of key that the leaf certifies. */
export function signingKeyCheck({ keyInfo }: SnpReport, { kind }: SnpLeaf): Check {
  const said = SIGNING_KEYS[(keyInfo >> 2) & 7];
  const known = keyInfo >> 5 === 0;
  return check(
    "snp.signing-key",
    known && said === kind,
    `the report says ${said ?? "no known key"} signed it (key info ${keyInfo}), the certificate is a ${kind}`,
  );
}

/** Leaf, authorities and processor are of one product line. */
export function productCheck(
  { cpuid }: SnpReport,
  { kind, product }: SnpLeaf,
  chain: readonly Certificate[],
): Check {
  const name = "snp.product";
  const line = `${product.charAt(0).toUpperCase()}${product.slice(1)}`;
  const [, intermediate, root] = chain;
  const wanted = [kind === "vcek" ? `SEV-${line}` : `SEV-VLEK-${line}`, `ARK-${line}`];
  for (const [index, certificate] of [intermediate, root].entries()) {
    const common = certificate === undefined ? undefined : nameAttribute(certificate.subject, "CN");
    if (common !== wanted[index]) {
      return check(name, false, `authority ${common ?? "absent"}, ${wanted[index]} expected`);
    }
  }
  if (cpuid === undefined) return check(name, true, `${line}, by its certificates`);
  const { family, model } = cpuid;
  return check(
    name,
    productOf(family, model) === product,
    `processor family ${hex(family)} model ${hex(model)}, certificates of ${line}`,
  );
}

/** The key belongs to the TCB that the report states: AMD derives one from the other. */
export function leafTcbCheck({ reportedTcb }: SnpReport, { tcb, product }: SnpLeaf): Check {
  const reported = parseTcb(reportedTcb, product);
  const same = sameTcb(reported, tcb);
  return check(
    "snp.leaf-tcb",
    same,
    same
      ? `report and certificate: ${tcbText(tcb)}`
      : `report: ${tcbText(reported)}; certificate: ${tcbText(tcb)}`,
  );
}

/** The key belongs to the chip that the report states. */
export function chipCheck(report: SnpReport, leaf: SnpLeaf): Check {
  const name = "snp.chip-id";
  if (leaf.hardwareId === undefined) {
    return check(
      name,
      true,
      "a VLEK belongs to a provider, not to a chip: the chip id is unproven",
    );
  }
  const masked = (report.keyInfo & CHIP_KEY_MASKED) !== 0;
  const start = report.chipId.subarray(0, leaf.hardwareId.length);
  const rest = report.chipId.subarray(leaf.hardwareId.length);
  const same = equalBytes(start, leaf.hardwareId) && rest.every((byte) => byte === 0);
  return check(
    name,
    same && !masked,
    same && !masked
      ? "report and certificate name the same chip"
      : `report: ${masked ? "masked" : toHex(report.chipId)}; certificate: ${toHex(leaf.hardwareId)}`,
  );
}

/** The path uses the algorithms of AMD's hierarchy and no others. */
export function algorithmsCheck(chain: readonly Certificate[]): Check {
  const odd = chain.find(({ key, algorithm }, index) => {
    const pss = algorithm.kind === "rsa-pss" && algorithm.hash === "SHA-384";
    const salted = pss && algorithm.saltLength === 48;
    const fits =
      index === 0
        ? key.kind === "ec" && key.curve === "P-384"
        : key.kind === "rsa" && key.bits === 4096;
    return !salted || !fits;
  });
  return check(
    "snp.algorithms",
    odd === undefined,
    odd === undefined
      ? "P-384 leaf under RSA-4096, all signed RSASSA-PSS with SHA-384 and a salt of 48"
      : `${odd.subject.text}: not the algorithms of AMD's hierarchy`,
  );
}

function hex(value: number): string {
  return value.toString(16).padStart(2, "0").concat("h");
}
