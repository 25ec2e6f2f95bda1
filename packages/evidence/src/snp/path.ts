// The path of an SNP leaf certificate to AMD's root, or to a root that the caller trusts, and its revocation.
import { type Certificate, type Check, check, notPerformed, sameBytes } from "@holdfast/core";
import { type FoundPath, findPath, holds } from "../judge/find-path.ts";
import type { JudgeRequest } from "../judge/request.ts";
import { findList, revokedAt } from "../judge/revocation.ts";
import { amdAuthorities } from "./authorities.ts";
import type { SnpProduct } from "./tcb.ts";

const PRODUCTS: readonly SnpProduct[] = ["milan", "genoa", "turin"];

/** Finds and verifies the path of a leaf. */
export async function pathOf(leaf: Certificate, request: JudgeRequest): Promise<FoundPath> {
  const vendor = PRODUCTS.map(amdAuthorities);
  return await findPath({
    leaf,
    others: [
      ...vendor.flatMap(({ ask, asvk }) => [ask, asvk]),
      ...request.endorsements.certificates,
    ],
    anchors: [...vendor.map(({ ark }) => ark), ...(request.anchors ?? [])],
    at: request.at,
    crypto: request.crypto,
  });
}

/** Whether a root is AMD's own. */
export function isVendorRoot(anchor: Certificate | undefined): boolean {
  if (anchor === undefined) return false;
  return PRODUCTS.some((product) => sameBytes(amdAuthorities(product).ark.der, anchor.der));
}

/** A revocation check with what it used. */
export interface Revocation {
  readonly check: Check;
  readonly windows: readonly { readonly notBefore: Date; readonly notAfter: Date }[];
  readonly used: readonly (readonly [name: string, bytes: Uint8Array])[];
}

/** AMD's root signs one list for its whole product line. */
export async function revocationCheck(path: FoundPath, request: JudgeRequest): Promise<Revocation> {
  const name = "snp.revocation";
  const nothing = { windows: [], used: [] };
  if (path.anchor === undefined || !holds(path)) {
    return { check: notPerformed(name, "there is no trusted path to check"), ...nothing };
  }
  const found = await findList(request.endorsements.revocationLists, path.anchor, request);
  if (found.kind === "missing" || found.kind === "stale") {
    return { check: notPerformed(name, found.fault), ...nothing };
  }
  if (found.kind === "faulty") return { check: check(name, false, found.fault), ...nothing };
  const { list } = found;
  const revoked = path.chain.slice(0, -1).find((certificate) => revokedAt(list, certificate));
  return {
    check: check(
      name,
      revoked === undefined,
      revoked === undefined
        ? "no certificate of the path is revoked"
        : `${revoked.subject.text} is revoked`,
    ),
    windows: [{ notBefore: list.thisUpdate, notAfter: list.nextUpdate }],
    used: [["revocation list", list.der]],
  };
}
