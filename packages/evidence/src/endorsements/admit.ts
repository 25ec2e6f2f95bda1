// Judges a vendor's document by itself, before anybody keeps it: whether it is the one that was asked for, signed under a
// trusted root, and of its time. Whether its signer is revoked is judged with the evidence, as everything is again.
import { type Certificate, equalBytes, type RevocationList, toHex } from "@holdfast/core";
import { judgeDocument } from "../intel/collateral.ts";
import { parseEnclaveIdentity } from "../intel/enclave-identity.ts";
import { intelRoot, isPck, parsePckExtension, pckAuthority } from "../intel/pck.ts";
import { pckPath } from "../intel/platform-path.ts";
import { parseTcbInfo } from "../intel/tcb-info.ts";
import { type FoundPath, findPath, holds } from "../judge/find-path.ts";
import type { JudgeRequest } from "../judge/request.ts";
import { findList } from "../judge/revocation.ts";
import { amdAuthorities } from "../snp/authorities.ts";
import { isSnpLeaf, parseSnpLeaf } from "../snp/leaf.ts";
import { pathOf } from "../snp/path.ts";
import { sameTcb } from "../snp/tcb.ts";
import type { CollateralNeed } from "./needs.ts";

/** When a document holds. */
export interface CollateralWindow {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const CA_CHECK = "path.ca";

type Need<K extends CollateralNeed["kind"]> = Extract<CollateralNeed, { kind: K }>;

/**
 * Judges what a source answered.
 * @param request.endorsements what was answered, and certificates that may stand between it and a root
 * @returns when it holds, or what is wrong with it
 */
export async function judgeCollateral(
  need: CollateralNeed,
  request: JudgeRequest,
): Promise<CollateralWindow | string> {
  switch (need.kind) {
    case "intel-tcb":
    case "intel-identity":
      return await documentWindow(need, request);
    case "intel-pck-list": {
      const issuers = request.endorsements.certificates.filter(
        (each) => pckAuthority(each) === need.authority,
      );
      return await listWindow(issuers, [intelRoot()], request);
    }
    case "intel-root-list":
      return await listWindow([intelRoot(), ...(request.anchors ?? [])], [intelRoot()], request);
    case "intel-pck":
      return await pckWindow(need, request);
    case "amd-list": {
      const { ark } = amdAuthorities(need.product);
      return await listWindow([ark, ...(request.anchors ?? [])], [ark], request);
    }
    case "amd-chain":
      return await chainWindow(need, request);
    case "amd-vcek":
      return await leafWindow(need, request);
  }
}

async function documentWindow(
  need: Need<"intel-tcb" | "intel-identity">,
  request: JudgeRequest,
): Promise<CollateralWindow | string> {
  const { kind, tee } = need;
  const { checks, document } =
    kind === "intel-tcb"
      ? await judgeDocument(
          "tcb-info",
          "TCB information",
          parseTcbInfo,
          ({ id, fmspc }) => id === tee.toUpperCase() && fmspc.toLowerCase() === need.fmspc,
          request,
        )
      : await judgeDocument(
          "qe-identity",
          "QE identity",
          parseEnclaveIdentity,
          ({ id }) => id === (tee === "sgx" ? "QE" : "TD_QE"),
          request,
        );
  if (document !== undefined) {
    return { notBefore: document.issueDate, notAfter: document.nextUpdate };
  }
  const fault =
    checks.find(({ outcome }) => outcome === "failed") ??
    checks.find(({ outcome }) => outcome !== "passed");
  return `${fault?.name}: ${fault?.detail}`;
}

async function listWindow(
  issuers: readonly Certificate[],
  vendor: readonly Certificate[],
  request: JudgeRequest,
): Promise<CollateralWindow | string> {
  const { certificates, revocationLists } = request.endorsements;
  const anchors = [...vendor, ...(request.anchors ?? [])];
  let fault = "there is no certificate of who issued the list";
  for (const leaf of issuers) {
    const path = await findPath({ ...request, leaf, others: certificates, anchors });
    if (!isAuthority(path)) {
      fault = faultOf(path);
      continue;
    }
    const found = await findList(revocationLists, leaf, request);
    if (found.kind === "found") return windowOf(found.list);
    fault = found.fault;
  }
  return fault;
}

function windowOf({ thisUpdate, nextUpdate }: RevocationList): CollateralWindow {
  return { notBefore: thisUpdate, notAfter: nextUpdate };
}

/** A platform's certificate; whether it is the platform that signed shows with the quote. */
async function pckWindow(
  { pceId }: Need<"intel-pck">,
  request: JudgeRequest,
): Promise<CollateralWindow | string> {
  let fault = "no certificate of a platform";
  for (const certificate of request.endorsements.certificates.filter(isPck)) {
    if (toHex(parsePckExtension(certificate).pceId) !== pceId) {
      fault = `${certificate.subject.text}: another PCEID`;
      continue;
    }
    const path = await pckPath(certificate, [], request);
    const [, authority] = path.chain;
    const known = authority !== undefined && pckAuthority(authority) !== undefined;
    if (known && path.anchor !== undefined && holds(path)) return pathWindow(path);
    fault = faultOf(path);
  }
  return fault;
}

async function chainWindow(
  { key, product }: Need<"amd-chain">,
  request: JudgeRequest,
): Promise<CollateralWindow | string> {
  const name = `CN=SEV-${key === "vlek" ? "VLEK-" : ""}${product}`.toLowerCase();
  const issuer = request.endorsements.certificates.find(({ subject }) =>
    subject.text.toLowerCase().split(/,\s*/).includes(name),
  );
  if (issuer === undefined) return `no certificate of ${name}`;
  const path = await pathOf(issuer, request);
  return isAuthority(path) ? pathWindow(path) : faultOf(path);
}

async function leafWindow(
  { product, chipId, tcb }: Need<"amd-vcek">,
  request: JudgeRequest,
): Promise<CollateralWindow | string> {
  for (const certificate of request.endorsements.certificates.filter(isSnpLeaf)) {
    const leaf = parseSnpLeaf(certificate);
    const chip = leaf.hardwareId ?? new Uint8Array();
    const wanted = equalBytes(chip, Uint8Array.fromHex(chipId));
    if (leaf.product === product && wanted && sameTcb(leaf.tcb, tcb)) {
      const path = await pathOf(certificate, request);
      return path.anchor !== undefined && holds(path) ? pathWindow(path) : faultOf(path);
    }
  }
  return `no VCEK of chip ${chipId.slice(0, 16)} with this TCB`;
}

/** A trusted root, or an authority right below one. Verified as a leaf, which authorities are not: the rest must hold. */
function isAuthority({ chain, anchor, checks }: FoundPath): boolean {
  return (
    anchor !== undefined &&
    chain.length <= 2 &&
    chain.every(({ isCa }) => isCa) &&
    checks.every(({ name, outcome }) => outcome === "passed" || name === CA_CHECK)
  );
}

function faultOf({ checks, chain }: FoundPath): string {
  const fault = checks.find(({ name, outcome }) => outcome !== "passed" && name !== CA_CHECK);
  return `${chain[0]?.subject.text}: ${fault?.name ?? CA_CHECK}, ${fault?.detail ?? "no authority"}`;
}

function pathWindow({ chain }: FoundPath): CollateralWindow {
  return {
    notBefore: new Date(Math.max(...chain.map(({ notBefore }) => notBefore.getTime()))),
    notAfter: new Date(Math.min(...chain.map(({ notAfter }) => notAfter.getTime()))),
  };
}
