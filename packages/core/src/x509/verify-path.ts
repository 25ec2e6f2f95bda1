// Certification path validation (RFC 5280 section 6.1) of a path the caller has put in order.
// Stricter: names compare byte for byte, unknown critical extensions and name constraints are refused.
import { sameBytes } from "../bytes.ts";
import type { CryptoPort } from "../crypto-port.ts";
import { type Check, check } from "../verdict.ts";
import { type Certificate, isSignedBy } from "./certificate.ts";
import { EXTENSION, type KeyUsage } from "./extensions.ts";
import type { RevocationList } from "./revocation-list.ts";

/** What a path is verified against. */
export interface PathRequest {
  /** Leaf first; each next certificate issued the one before. The anchor may stand at the end or be left out. */
  readonly chain: readonly Certificate[];
  /** Trusted certificates. A path that does not end at one of them fails. */
  readonly anchors: readonly Certificate[];
  /** The time to verify at. */
  readonly at: Date;
  readonly crypto: CryptoPort;
  /** Lists to check revocation with: then every certificate but the anchor needs one. Absent: not part of this PKI. */
  readonly revocationLists?: readonly RevocationList[];
  /** Extensions the caller reads itself, so that they may be critical. */
  readonly knownExtensions?: readonly string[];
  /** Whether the leaf may be a CA; by default it may not. */
  readonly leafMayBeCa?: boolean;
  /** What the leaf's key is for, when its key usage says anything at all; `digitalSignature` by default. */
  readonly leafUsage?: KeyUsage;
}

/** Every check of a path, in order. Revocation is one more, where lists are given. */
export const PATH_CHECKS = [
  "path.length",
  "path.anchor",
  "path.names",
  "path.signatures",
  "path.validity",
  "path.ca",
  "path.key-usage",
  "path.path-length",
  "path.critical-extensions",
] as const;

const MAXIMUM_PATH = 10;
const UNDERSTOOD: ReadonlySet<string> = new Set([
  EXTENSION.keyUsage,
  EXTENSION.basicConstraints,
  EXTENSION.extendedKeyUsage,
  EXTENSION.subjectAltName,
]);

/** Verifies a path; each check names the first certificate that fails it. Never throws for a bad path. */
export async function verifyPath(request: PathRequest): Promise<Check[]> {
  const path = completePath(request);
  const length = check(
    "path.length",
    request.chain.length > 0 && path.length <= MAXIMUM_PATH,
    `${path.length} certificates, 1 to ${MAXIMUM_PATH} expected`,
  );
  if (length.outcome === "failed") return [length];
  const anchored = request.anchors.some(({ der }) =>
    sameBytes(der, path.at(-1)?.der ?? new Uint8Array()),
  );
  return [
    length,
    check(
      "path.anchor",
      anchored,
      anchored ? `ends at ${path.at(-1)?.subject.text}` : "ends at no trusted certificate",
    ),
    firstFault("path.names", path, (certificate, issuer) =>
      issuer === undefined || sameBytes(certificate.issuer.der, issuer.subject.der)
        ? undefined
        : `issuer is ${certificate.issuer.text}, the next certificate is ${issuer.subject.text}`,
    ),
    await signatures(path, request.crypto),
    firstFault("path.validity", path, (certificate) => validityFault(certificate, request.at)),
    firstFault("path.ca", path, (certificate, _issuer, index) =>
      caFault(certificate, index, request),
    ),
    firstFault("path.key-usage", path, (certificate, _issuer, index) =>
      keyUsageFault(certificate, index, request.leafUsage ?? "digitalSignature"),
    ),
    firstFault("path.path-length", path, (certificate, _issuer, index) =>
      certificate.pathLength !== undefined &&
      countIntermediates(path, index) > certificate.pathLength
        ? `more than ${certificate.pathLength} certificates below it`
        : undefined,
    ),
    firstFault("path.critical-extensions", path, (certificate) =>
      criticalFault(certificate, request),
    ),
    ...(request.revocationLists === undefined ? [] : [await revocation(path, request)]),
  ];
}

function completePath({ chain, anchors }: PathRequest): readonly Certificate[] {
  const last = chain.at(-1);
  if (last === undefined || anchors.some(({ der }) => sameBytes(der, last.der))) return chain;
  const anchor = anchors.find(({ subject }) => sameBytes(subject.der, last.issuer.der));
  return anchor === undefined ? chain : [...chain, anchor];
}

function firstFault(
  name: string,
  path: readonly Certificate[],
  faultOf: (
    certificate: Certificate,
    issuer: Certificate | undefined,
    index: number,
  ) => string | undefined,
): Check {
  for (const [index, certificate] of path.entries()) {
    const fault = faultOf(certificate, path[index + 1], index);
    if (fault !== undefined) return check(name, false, `${certificate.subject.text}: ${fault}`);
  }
  return check(name, true, `holds for all ${path.length} certificates`);
}

async function signatures(path: readonly Certificate[], crypto: CryptoPort): Promise<Check> {
  for (const [index, certificate] of path.entries()) {
    const issuer = path[index + 1];
    if (issuer !== undefined && !(await isSignedBy(certificate, issuer.spki, issuer.key, crypto))) {
      return check(
        "path.signatures",
        false,
        `${certificate.subject.text}: signature does not hold`,
      );
    }
  }
  return check("path.signatures", true, `${path.length - 1} signatures hold`);
}

function validityFault({ notBefore, notAfter }: Certificate, at: Date): string | undefined {
  if (at < notBefore)
    return `not valid before ${notBefore.toISOString()}, time is ${at.toISOString()}`;
  if (at > notAfter) return `expired at ${notAfter.toISOString()}, time is ${at.toISOString()}`;
  return undefined;
}

function caFault(
  certificate: Certificate,
  index: number,
  request: PathRequest,
): string | undefined {
  if (index > 0) return certificate.isCa ? undefined : "is not a CA";
  // A path of the anchor alone has no issuer to judge.
  const alone =
    request.chain.length === 1 &&
    request.anchors.some(({ der }) => sameBytes(der, certificate.der));
  return certificate.isCa && !request.leafMayBeCa && !alone ? "the leaf is a CA" : undefined;
}

function keyUsageFault(
  certificate: Certificate,
  index: number,
  leafUsage: KeyUsage,
): string | undefined {
  if (index === 0) {
    if (certificate.isCa || certificate.keyUsage === undefined) return undefined;
    return certificate.keyUsage.has(leafUsage) ? undefined : `lacks ${leafUsage}`;
  }
  return certificate.keyUsage?.has("keyCertSign") ? undefined : "lacks keyCertSign";
}

function countIntermediates(path: readonly Certificate[], index: number): number {
  // The leaf and self-issued certificates do not count (RFC 5280 section 4.2.1.9).
  return path.slice(1, index).filter(({ issuer, subject }) => !sameBytes(issuer.der, subject.der))
    .length;
}

function criticalFault(certificate: Certificate, request: PathRequest): string | undefined {
  for (const [type, { critical }] of certificate.extensions) {
    if (type === EXTENSION.nameConstraints) return "has name constraints, which are not supported";
    if (critical && !UNDERSTOOD.has(type) && !request.knownExtensions?.includes(type)) {
      return `has unknown critical extension ${type}`;
    }
  }
  return undefined;
}

async function revocation(path: readonly Certificate[], request: PathRequest): Promise<Check> {
  const name = "path.revocation";
  for (const [index, certificate] of path.entries()) {
    const issuer = path[index + 1];
    if (issuer === undefined) break;
    const list = request.revocationLists?.find((candidate) =>
      sameBytes(candidate.issuer.der, issuer.subject.der),
    );
    const of = certificate.subject.text;
    if (list === undefined) return check(name, false, `${of}: no revocation list of its issuer`);
    if (issuer.keyUsage !== undefined && !issuer.keyUsage.has("cRLSign")) {
      return check(name, false, `${issuer.subject.text}: lacks cRLSign`);
    }
    if (!(await isSignedBy(list, issuer.spki, issuer.key, request.crypto))) {
      return check(
        name,
        false,
        `revocation list of ${issuer.subject.text}: signature does not hold`,
      );
    }
    if (request.at < list.thisUpdate || request.at > list.nextUpdate) {
      return check(
        name,
        false,
        `revocation list of ${issuer.subject.text}: valid from ${list.thisUpdate.toISOString()} to ${list.nextUpdate.toISOString()}`,
      );
    }
    const at = list.revoked.get(certificate.serial);
    if (at !== undefined) return check(name, false, `${of}: revoked at ${at.toISOString()}`);
  }
  return check(name, true, "no certificate of the path is revoked");
}
