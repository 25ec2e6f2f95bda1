// Where vendors' documents are asked for: under the address that the operator configured and nowhere else. A path is made of
// names that are known here and of hexadecimal that was checked; no address is ever read from evidence or from an answer.
import type { HttpTransport } from "@holdfast/core";
import type { CollateralNeed, SnpKey } from "@holdfast/evidence";

/** Vendors that can be asked. */
export type Vendor = "intel" | "amd";

/** Exchanges with each vendor's configured source; absent ones are never asked. */
export type CollateralSources = Readonly<Partial<Record<Vendor, HttpTransport>>>;

/** A question to a source. */
export interface Question {
  readonly vendor: Vendor;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Headers that may carry the issuers of the answer, percent-encoded PEM. */
  readonly issuers: readonly string[];
}

const INTEL = "certification/v4";
const FMSPC = /^[0-9a-f]{12}$/;
const HEX = /^(?:[0-9a-f]{2}){2,384}$/;
const CHIP = /^(?:[0-9a-f]{16}|[0-9a-f]{128})$/;
const TEES: ReadonlySet<string> = new Set(["sgx", "tdx"]);
const AUTHORITIES: ReadonlySet<string> = new Set(["processor", "platform"]);
const KEYS: ReadonlySet<string> = new Set<SnpKey>(["vcek", "vlek"]);
/** Product lines as AMD writes them in paths. */
const LINES: ReadonlyMap<string, string> = new Map([
  ["milan", "Milan"],
  ["genoa", "Genoa"],
  ["turin", "Turin"],
]);

/** How a document is asked for; undefined when a part of its name is not what it must be. */
export function questionFor(need: CollateralNeed): Question | undefined {
  switch (need.kind) {
    case "intel-tcb":
      if (!TEES.has(need.tee) || !FMSPC.test(need.fmspc)) return undefined;
      return intel(`/${need.tee}/${INTEL}/tcb`, { fmspc: need.fmspc.toUpperCase() }, [
        "tcb-info-issuer-chain",
        "sgx-tcb-info-issuer-chain",
      ]);
    case "intel-identity":
      if (!TEES.has(need.tee)) return undefined;
      return intel(`/${need.tee}/${INTEL}/qe/identity`, {}, ["sgx-enclave-identity-issuer-chain"]);
    case "intel-pck-list":
      if (!AUTHORITIES.has(need.authority)) return undefined;
      return intel(`/sgx/${INTEL}/pckcrl`, { ca: need.authority, encoding: "der" }, [
        "sgx-pck-crl-issuer-chain",
      ]);
    case "intel-pck": {
      const { qeId, encryptedPpid, cpuSvn, pceSvn, pceId } = need;
      const parts = [qeId, encryptedPpid, cpuSvn, pceSvn, pceId];
      if (!parts.every((part) => HEX.test(part))) return undefined;
      return intel(
        `/sgx/${INTEL}/pckcert`,
        { qeid: qeId, encrypted_ppid: encryptedPpid, cpusvn: cpuSvn, pcesvn: pceSvn, pceid: pceId },
        ["sgx-pck-certificate-issuer-chain"],
      );
    }
    case "intel-root-list":
      return intel(`/sgx/${INTEL}/rootcacrl`, {}, []);
    case "amd-chain":
      return amd(need.key, need.product, "cert_chain");
    case "amd-list":
      return amd(need.key, need.product, "crl");
    case "amd-vcek": {
      const { bl, tee, snp, ucode, fmc } = need.tcb;
      const parts = [bl, tee, snp, ucode, fmc ?? 0];
      if (!CHIP.test(need.chipId) || !parts.every(isByte)) return undefined;
      return amd("vcek", need.product, need.chipId, {
        ...(fmc === undefined ? {} : { fmcSPL: twoDigits(fmc) }),
        blSPL: twoDigits(bl),
        teeSPL: twoDigits(tee),
        snpSPL: twoDigits(snp),
        ucodeSPL: twoDigits(ucode),
      });
    }
  }
}

/** The name of a document in the store: the question for it. */
export function nameOf({ vendor, path, query }: Question): string {
  return `${vendor} ${path}?${new URLSearchParams(query)}`;
}

function intel(
  path: string,
  query: Readonly<Record<string, string>>,
  issuers: readonly string[],
): Question {
  return { vendor: "intel", path, query, issuers };
}

function amd(
  key: string,
  product: string,
  what: string,
  query: Readonly<Record<string, string>> = {},
): Question | undefined {
  const line = LINES.get(product);
  if (line === undefined || !KEYS.has(key)) return undefined;
  return { vendor: "amd", path: `/${key}/v1/${line}/${what}`, query, issuers: [] };
}

function isByte(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 255;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
