// The certificates that sign SNP reports: VCEK, one per chip and TCB, and VLEK, one per cloud provider and TCB
// (AMD, VCEK certificate and KDS interface specification). Their extensions say which chip and TCB the key belongs to.
import {
  type Certificate,
  derString,
  derUnsigned,
  EncodingError,
  nameAttribute,
  readDer,
  TAG,
} from "@holdfast/core";
import { malformed } from "../errors.ts";
import type { SnpProduct, SnpTcb } from "./tcb.ts";

const ARC = "1.3.6.1.4.1.3704.1";
/** OIDs of AMD's extensions. */
export const AMD_EXTENSION = {
  structVersion: `${ARC}.1`,
  productName: `${ARC}.2`,
  bootloader: `${ARC}.3.1`,
  tee: `${ARC}.3.2`,
  snp: `${ARC}.3.3`,
  microcode: `${ARC}.3.8`,
  fmc: `${ARC}.3.9`,
  hardwareId: `${ARC}.4`,
  cspId: `${ARC}.5`,
} as const;

/** What a leaf certificate says. */
export interface SnpLeaf {
  readonly kind: "vcek" | "vlek";
  readonly certificate: Certificate;
  readonly product: SnpProduct;
  /** As written: `Milan-B0`. */
  readonly productName: string;
  readonly tcb: SnpTcb;
  /** Of a VCEK: 64 bytes, 8 on Turin. */
  readonly hardwareId?: Uint8Array;
  /** Of a VLEK: which provider it was issued to. */
  readonly cspId?: string;
}

/** Whether a certificate is of the kind that signs reports. */
export function isSnpLeaf(certificate: Certificate): boolean {
  return LEAF_NAMES.has(nameAttribute(certificate.subject, "CN") ?? "");
}

/**
 * Reads a leaf's extensions.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function parseSnpLeaf(certificate: Certificate): SnpLeaf {
  const kind = LEAF_NAMES.get(nameAttribute(certificate.subject, "CN") ?? "");
  if (kind === undefined) {
    throw malformed(`${certificate.subject.text}: SEV-VCEK or SEV-VLEK expected as name`);
  }
  try {
    const productName = text(certificate, AMD_EXTENSION.productName);
    const product = PRODUCTS.find((line) => productName.toLowerCase().split("-")[0] === line);
    if (product === undefined) throw malformed(`unknown product ${productName}`);
    const fmc = product === "turin" ? { fmc: number(certificate, AMD_EXTENSION.fmc) } : {};
    return {
      kind,
      certificate,
      product,
      productName,
      tcb: {
        bl: number(certificate, AMD_EXTENSION.bootloader),
        tee: number(certificate, AMD_EXTENSION.tee),
        snp: number(certificate, AMD_EXTENSION.snp),
        ucode: number(certificate, AMD_EXTENSION.microcode),
        ...fmc,
      },
      ...(kind === "vcek"
        ? { hardwareId: hardwareId(certificate) }
        : { cspId: text(certificate, AMD_EXTENSION.cspId) }),
    };
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause;
    throw malformed(`extensions of ${certificate.subject.text}: ${cause.message}`, cause);
  }
}

const LEAF_NAMES: ReadonlyMap<string, SnpLeaf["kind"]> = new Map([
  ["SEV-VCEK", "vcek"],
  ["SEV-VLEK", "vlek"],
]);
const PRODUCTS: readonly SnpProduct[] = ["milan", "genoa", "turin"];

function extension(certificate: Certificate, type: string): Uint8Array {
  const found = certificate.extensions.get(type);
  if (found === undefined) throw malformed(`extension ${type} is missing`);
  return found.value;
}

function number(certificate: Certificate, type: string): number {
  const value = derUnsigned(readDer(extension(certificate, type)), type);
  if (value > 255) throw malformed(`extension ${type}: ${value} is over 255`);
  return value;
}

function text(certificate: Certificate, type: string): string {
  return derString(readDer(extension(certificate, type)), type);
}

/** Genuine certificates carry the id bare; some tools wrap it into an OCTET STRING. */
function hardwareId(certificate: Certificate): Uint8Array {
  const value = extension(certificate, AMD_EXTENSION.hardwareId);
  const wrapped = value.length === 66 || value.length === 10;
  if (wrapped && value[0] === TAG.octetString) return readDer(value).content;
  if (value.length === 64 || value.length === 8) return value;
  throw malformed(`hardware id of ${value.length} bytes`);
}
