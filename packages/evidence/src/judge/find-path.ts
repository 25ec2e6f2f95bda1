// Finds the path of a certificate to a trusted root among certificates that came in any order, and verifies it. Names
// alone don't lead the way: test and vendor authorities may share them, so an issuer is who signed.
import {
  type Certificate,
  type Check,
  type CryptoPort,
  isSignedBy,
  type PathRequest,
  sameBytes,
  verifyPath,
} from "@holdfast/core";

/** What is to be found and how it is verified. */
export interface FindPathRequest
  extends Omit<PathRequest, "chain" | "anchors" | "revocationLists"> {
  readonly leaf: Certificate;
  /** Certificates that may stand between; what else is among them does no harm. */
  readonly others: readonly Certificate[];
  readonly anchors: readonly Certificate[];
}

/** A path with its checks. */
export interface FoundPath {
  /** Leaf first; the last is the anchor when one was reached. */
  readonly chain: readonly Certificate[];
  readonly anchor: Certificate | undefined;
  readonly checks: readonly Check[];
}

const MAXIMUM_DEPTH = 8;
/** How many issuers of one name are tried: enough for renewals, too few to keep a verifier busy. */
const MAXIMUM_ISSUERS = 8;

/** Finds and verifies a path; when there is none, the checks say what fails. */
export async function findPath(request: FindPathRequest): Promise<FoundPath> {
  const chain = [request.leaf];
  while (chain.length < MAXIMUM_DEPTH) {
    const last = chain.at(-1) ?? request.leaf;
    if (isAnchor(last, request.anchors)) break;
    const issuer = await issuerOf(last, request);
    if (issuer === undefined || chain.some(({ der }) => sameBytes(der, issuer.der))) break;
    chain.push(issuer);
  }
  const end = chain.at(-1);
  const anchor = end !== undefined && isAnchor(end, request.anchors) ? end : undefined;
  const checks = await verifyPath({
    ...request,
    chain,
    anchors: anchor === undefined ? [] : [anchor],
  });
  return { chain, anchor, checks };
}

/** Checks under a prefix, where evidence has more than one path: `pck.path.signatures`. */
export function prefixed(prefix: string, checks: readonly Check[]): Check[] {
  return checks.map((each) => ({ ...each, name: `${prefix}.${each.name}` }));
}

/** Whether every check of a path passed. */
export function holds(path: FoundPath): boolean {
  return path.checks.every(({ outcome }) => outcome === "passed");
}

function isAnchor(certificate: Certificate, anchors: readonly Certificate[]): boolean {
  return anchors.some(({ der }) => sameBytes(der, certificate.der));
}

async function issuerOf(
  certificate: Certificate,
  { others, anchors, crypto, at }: FindPathRequest,
): Promise<Certificate | undefined> {
  const named = [...anchors, ...others]
    .filter(
      ({ subject, der }) =>
        sameBytes(subject.der, certificate.issuer.der) && !sameBytes(der, certificate.der),
    )
    .slice(0, MAXIMUM_ISSUERS);
  const signers: Certificate[] = [];
  for (const candidate of named) {
    if (await signed(certificate, candidate, crypto)) signers.push(candidate);
  }
  // Of several that signed, one that is valid now; when none did, the first of the name, so that the fault is found.
  const valid = signers.find(({ notBefore, notAfter }) => at >= notBefore && at <= notAfter);
  return valid ?? signers[0] ?? named[0];
}

async function signed(
  certificate: Certificate,
  issuer: Certificate,
  crypto: CryptoPort,
): Promise<boolean> {
  return await isSignedBy(certificate, issuer.spki, issuer.key, crypto);
}
