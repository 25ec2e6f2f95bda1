// The path of a PCK certificate to Intel's root: found in the quote or among the endorsements, verified, and checked
// against the revocation lists of its authority and of the root.
import {
  type Certificate,
  type Check,
  check,
  derChildren,
  fromPem,
  HoldfastError,
  PATH_CHECKS,
  parseCertificate,
  type RevocationList,
  TAG,
  toText,
} from "@holdfast/core";
import { malformed } from "../errors.ts";
import { type FoundPath, findPath, prefixed } from "../judge/find-path.ts";
import type { JudgeRequest } from "../judge/request.ts";
import { pathRevocation } from "../judge/revocation.ts";
import { intelRoot, isPck, pckAuthority } from "./pck.ts";
import type { CertificationData } from "./quote.ts";

const PCK_CHAIN = 5;
const MAXIMUM_CHAIN = 8;

/** Checks of the path, in order. */
export const PCK_CHECKS = [
  ...PATH_CHECKS.map((name) => `pck.${name}` as const),
  "pck.names",
  "pck.revocation",
] as const;

/**
 * Certificates inside a quote, leaf first; none when the quote only names its platform.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function certificatesOf({ type, data }: CertificationData): Certificate[] {
  if (type >= 1 && type <= 4) return [];
  if (type !== PCK_CHAIN) throw malformed(`quote: certification data of type ${type}`);
  try {
    const ders = data[0] === TAG.sequence ? derSequence(data) : pemBlocks(data);
    if (ders.length > MAXIMUM_CHAIN) throw malformed(`quote: ${ders.length} certificates`);
    return ders.map((der) => parseCertificate(der));
  } catch (cause) {
    if (!(cause instanceof HoldfastError)) throw cause;
    throw malformed(`certificates of the quote: ${cause.message}`, cause);
  }
}

/** Producers end the text with a NUL. */
function pemBlocks(data: Uint8Array): Uint8Array[] {
  return fromPem("CERTIFICATE", toText(data).replace(/\0+$/, ""));
}

/** Certificates one after the other, as samples of Intel's have them. */
function derSequence(data: Uint8Array): Uint8Array[] {
  return derChildren({ tag: TAG.sequence, content: data, bytes: data }).map(({ bytes }) => bytes);
}

/** Finds and verifies the path of a leaf. */
export async function pckPath(
  leaf: Certificate,
  carried: readonly Certificate[],
  request: JudgeRequest,
): Promise<FoundPath> {
  return await findPath({
    leaf,
    others: [...carried, ...request.endorsements.certificates],
    anchors: [intelRoot(), ...(request.anchors ?? [])],
    at: request.at,
    crypto: request.crypto,
  });
}

/** Checks of a path, and the revocation lists they used. */
export interface JudgedPath {
  readonly checks: readonly Check[];
  readonly lists: readonly RevocationList[];
}

/** Checks of a path: RFC 5280, the names of Intel's hierarchy, revocation. */
export async function judgePckPath(path: FoundPath, request: JudgeRequest): Promise<JudgedPath> {
  const revocation = await pathRevocation("pck.revocation", path, request);
  return {
    checks: [...prefixed("pck", path.checks), namesCheck(path.chain), revocation.check],
    lists: revocation.lists,
  };
}

function namesCheck(chain: readonly Certificate[]): Check {
  const [leaf, intermediate] = chain;
  const fits =
    chain.length === 3 &&
    leaf !== undefined &&
    intermediate !== undefined &&
    isPck(leaf) &&
    pckAuthority(intermediate) !== undefined;
  return check(
    "pck.names",
    fits,
    fits
      ? `PCK certificate under the ${pckAuthority(intermediate)} authority`
      : "PCK certificate, processor or platform authority and root expected",
  );
}
