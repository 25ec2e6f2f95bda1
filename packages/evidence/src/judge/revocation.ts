// Finds the revocation list of an authority among lists that came in any order. A list counts only with its signature,
// within its dates, from an authority that may sign lists.
import {
  type Certificate,
  type Check,
  type CryptoPort,
  check,
  isSignedBy,
  notPerformed,
  type RevocationList,
  sameBytes,
} from "@holdfast/core";
import { type FoundPath, holds } from "./find-path.ts";
import type { JudgeRequest } from "./request.ts";

/** The newest list that counts, or why there is none. */
export type FoundList =
  | { readonly kind: "found"; readonly list: RevocationList }
  | { readonly kind: "faulty"; readonly fault: string }
  /** Genuine, but not of this time: what has been revoked since nobody knows. */
  | { readonly kind: "stale"; readonly fault: string }
  | { readonly kind: "missing"; readonly fault: string };

/** How many lists of one issuer are looked at. */
const MAXIMUM_LISTS = 16;

/** The newest list of an authority that holds at a time. */
export async function findList(
  lists: readonly RevocationList[],
  issuer: Certificate,
  { at, crypto }: { readonly at: Date; readonly crypto: CryptoPort },
): Promise<FoundList> {
  const of = issuer.subject.text;
  const named = lists
    .filter((list) => sameBytes(list.issuer.der, issuer.subject.der))
    .slice(0, MAXIMUM_LISTS);
  if (named.length === 0) {
    return { kind: "missing", fault: `no revocation list of ${of} was supplied` };
  }
  const faults: string[] = [];
  let kind: "faulty" | "stale" = "stale";
  let newest: RevocationList | undefined;
  for (const list of named) {
    const forged = await forgery(list, issuer, crypto);
    const fault = forged ?? untimely(list, at);
    if (forged !== undefined) kind = "faulty";
    if (fault !== undefined) faults.push(`revocation list of ${of}: ${fault}`);
    else if (newest === undefined || list.thisUpdate > newest.thisUpdate) newest = list;
  }
  return newest === undefined
    ? { kind, fault: faults.join("; ") }
    : { kind: "found", list: newest };
}

/** When a certificate was revoked by a list; undefined when it was not. */
export function revokedAt(list: RevocationList, { serial }: Certificate): Date | undefined {
  return list.revoked.get(serial);
}

/** A revocation check, and the lists it rests on. */
export interface JudgedRevocation {
  readonly check: Check;
  readonly lists: readonly RevocationList[];
}

/** Every certificate of a path below its root against the list of who issued it. */
export async function pathRevocation(
  name: string,
  path: FoundPath,
  request: JudgeRequest,
): Promise<JudgedRevocation> {
  if (path.anchor === undefined || !holds(path)) {
    return { check: notPerformed(name, "there is no trusted path to check"), lists: [] };
  }
  const lists: RevocationList[] = [];
  let missing: string | undefined;
  for (const [index, certificate] of path.chain.entries()) {
    const issuer = path.chain[index + 1];
    if (issuer === undefined) break;
    const found = await findList(request.endorsements.revocationLists, issuer, request);
    // Intel's procedure makes an old list an error, as it does a forged one.
    if (found.kind === "faulty" || found.kind === "stale") {
      return { check: check(name, false, found.fault), lists };
    }
    if (found.kind === "missing") missing ??= found.fault;
    else {
      lists.push(found.list);
      const at = revokedAt(found.list, certificate);
      const revoked = `${certificate.subject.text} was revoked at ${at?.toISOString()}`;
      if (at !== undefined) return { check: check(name, false, revoked), lists };
    }
  }
  return missing === undefined
    ? { check: check(name, true, "no certificate of the path is revoked"), lists }
    : { check: notPerformed(name, missing), lists };
}

async function forgery(
  list: RevocationList,
  issuer: Certificate,
  crypto: CryptoPort,
): Promise<string | undefined> {
  if (issuer.keyUsage !== undefined && !issuer.keyUsage.has("cRLSign")) {
    return "its issuer may not sign lists";
  }
  const signed = await isSignedBy(list, issuer.spki, issuer.key, crypto);
  return signed ? undefined : "signature does not hold";
}

function untimely({ thisUpdate, nextUpdate }: RevocationList, at: Date): string | undefined {
  if (at < thisUpdate) return `not valid before ${thisUpdate.toISOString()}`;
  return at > nextUpdate ? `expired at ${nextUpdate.toISOString()}` : undefined;
}
