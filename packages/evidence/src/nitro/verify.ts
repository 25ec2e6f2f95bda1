// Judges Nitro attestation documents. Every check there is stands in the result: the format, the signature, the path to
// a trusted root, debug mode, time, the pinned PCRs, and what the document is bound to.
import {
  type Certificate,
  type Check,
  type CryptoPort,
  check,
  equalBytes,
  notPerformed,
  toHex,
  verifyPath,
} from "@holdfast/core";
import { type Appraisal, allNotPerformed, appraisalOf, type Collateral } from "../appraisal.ts";
import { COSE_ALGORITHM, isSign1By } from "../cose/sign1.ts";
import { EvidenceError } from "../errors.ts";
import { CRYPTOGRAPHY_FAILED, TRUST, type TrustVector, trustVector } from "../trust-vector.ts";
import { isNitroDebug, isZero, type NitroClaims, nitroClaims } from "./claims.ts";
import { type NitroDocument, parseNitroDocument } from "./document.ts";
import { nitroPlatform } from "./root.ts";

/** What a binding must equal; `waived` says on purpose that the caller does without. */
export type Binding = Uint8Array | "waived";

/** How to judge a document. */
export interface NitroRequest {
  /** Trusted roots: `awsNitroRoot()`, or a simulated one. */
  readonly anchors: readonly Certificate[];
  /** The time to judge at; `document`, for audits, is the time the document itself names. */
  readonly at: Date | "document";
  readonly crypto: CryptoPort;
  readonly nonce: Binding;
  readonly userData: Binding;
  readonly publicKey?: Binding;
  /** Expected PCR values by index; each must be there. `waived`: the caller judges the claims itself. */
  readonly pcrs: ReadonlyMap<number, Uint8Array> | "waived";
  readonly allowDebug?: boolean;
  /** How old the document may be, in milliseconds; three hours by default, the life of a leaf certificate. */
  readonly maximumAge?: number;
}

/** Every check of a document, in the order of the result. */
export const NITRO_CHECKS = [
  "nitro.format",
  "nitro.headers",
  "nitro.digest",
  "path.length",
  "path.anchor",
  "path.names",
  "path.signatures",
  "path.validity",
  "path.ca",
  "path.key-usage",
  "path.path-length",
  "path.critical-extensions",
  "nitro.algorithms",
  "nitro.leaf",
  "nitro.signature",
  "nitro.time",
  "nitro.debug",
  "nitro.pcrs",
  "nitro.nonce",
  "nitro.user-data",
  "nitro.public-key",
] as const;

const HOUR = 60 * 60 * 1000;
/** How far the clocks of verifier and platform may differ. */
const SKEW = 5 * 60 * 1000;
/** Without these nothing in the document is more than what somebody wrote. */
const AUTHENTICITY: ReadonlySet<string> = new Set([
  "path.anchor",
  "path.names",
  "path.signatures",
  "path.ca",
  "path.key-usage",
  "path.path-length",
  "nitro.algorithms",
  "nitro.leaf",
  "nitro.signature",
]);

/** Judges a document; unreadable bytes are a refusal too. Never throws for bad evidence. */
export async function verifyNitro(
  input: Uint8Array,
  request: NitroRequest,
): Promise<Appraisal<NitroClaims>> {
  let document: NitroDocument;
  try {
    document = parseNitroDocument(input);
  } catch (thrown) {
    if (!(thrown instanceof EvidenceError)) throw thrown;
    return unreadable(thrown, request);
  }
  const at = request.at === "document" ? new Date(document.timestamp) : request.at;
  // A time beyond what dates can hold would make every comparison false.
  if (Number.isNaN(at.getTime())) return unreadable(new Error("timestamp is no date"), request);
  const path = await verifyPath({
    chain: [document.leaf, ...document.bundle.toReversed()],
    anchors: request.anchors,
    at,
    crypto: request.crypto,
  });
  const checks = inOrder([
    check("nitro.format", true, "COSE_Sign1 over a map of known fields, all within bounds"),
    headersCheck(document),
    check("nitro.digest", document.digest === "SHA384", `digest is ${document.digest}`),
    ...path,
    algorithmsCheck(document),
    leafCheck(document.leaf),
    await signatureCheck(document, request.crypto),
    timeCheck(document, at, request),
    debugCheck(document, request.allowDebug ?? false),
    pcrsCheck(document, request.pcrs),
    bindingCheck("nitro.nonce", document.nonce, request.nonce),
    bindingCheck("nitro.user-data", document.userData, request.userData),
    bindingCheck("nitro.public-key", document.publicKey, request.publicKey ?? "waived"),
  ]);
  const authentic = checks.every(
    ({ name, outcome }) => !AUTHENTICITY.has(name) || outcome === "passed",
  );
  const anchor = anchorOf(document, request.anchors);
  const platform = authentic && anchor !== undefined ? nitroPlatform(anchor) : "unknown";
  const chain = [document.leaf, ...document.bundle];
  return appraisalOf<NitroClaims>({
    type: "nitro",
    platform,
    simulated: platform === "simulated-nitro",
    checks,
    waived: waivedBy(request),
    at,
    debug: authentic ? isNitroDebug(document) : undefined,
    claims: authentic ? nitroClaims(document) : undefined,
    trustVector: authentic ? vectorOf(checks, platform) : CRYPTOGRAPHY_FAILED,
    collateral: anchor === undefined ? [] : [await collateralOf(anchor, request.crypto)],
    validFrom: new Date(Math.max(...chain.map(({ notBefore }) => notBefore.getTime()))),
    validUntil: new Date(Math.min(...chain.map(({ notAfter }) => notAfter.getTime()))),
  });
}

function unreadable(fault: Error, request: NitroRequest): Appraisal<NitroClaims> {
  const [, ...rest] = NITRO_CHECKS;
  return appraisalOf<NitroClaims>({
    type: "nitro",
    platform: "unknown",
    simulated: false,
    checks: [
      check("nitro.format", false, fault.message),
      ...allNotPerformed(rest, "the document can't be read"),
    ],
    at: request.at === "document" ? new Date(0) : request.at,
    trustVector: CRYPTOGRAPHY_FAILED,
  });
}

/** All checks by name; what path validation stopped before stands as not performed. */
function inOrder(made: readonly Check[]): Check[] {
  const byName = new Map(made.map((each) => [each.name, each]));
  return NITRO_CHECKS.map(
    (name) => byName.get(name) ?? notPerformed(name, "an earlier check failed"),
  );
}

function headersCheck({ message }: NitroDocument): Check {
  const es384 = message.algorithm === COSE_ALGORITHM.es384;
  const alone = message.protectedHeader.entries.length === 1;
  const bare = message.unprotectedHeader.entries.length === 0;
  return check(
    "nitro.headers",
    es384 && alone && bare,
    es384 && alone && bare
      ? "the protected header says ES384 and nothing else"
      : `algorithm ${message.algorithm}, ${message.protectedHeader.entries.length} protected and ${message.unprotectedHeader.entries.length} unprotected entries; ES384 (-35) alone expected`,
  );
}

function algorithmsCheck({ leaf, bundle }: NitroDocument): Check {
  const other = [leaf, ...bundle].find(
    ({ key, algorithm }) =>
      key.kind !== "ec" ||
      key.curve !== "P-384" ||
      algorithm.kind !== "ecdsa" ||
      algorithm.hash !== "SHA-384",
  );
  return check(
    "nitro.algorithms",
    other === undefined,
    other === undefined
      ? "all keys are P-384, all certificates signed with SHA-384"
      : `${other.subject.text}: not a P-384 key with a SHA-384 signature`,
  );
}

function leafCheck(leaf: Certificate): Check {
  const fits = !leaf.isCa && leaf.keyUsage?.has("digitalSignature") === true;
  return check(
    "nitro.leaf",
    fits,
    fits ? "may sign, is not a CA" : `${leaf.subject.text}: digitalSignature and no CA expected`,
  );
}

async function signatureCheck(document: NitroDocument, crypto: CryptoPort): Promise<Check> {
  const { leaf, message } = document;
  const holds = await isSign1By(message, leaf.spki, leaf.key, crypto);
  return check(
    "nitro.signature",
    holds,
    holds ? "the leaf certificate's key signed the document" : "the document's signature is wrong",
  );
}

function timeCheck({ timestamp }: NitroDocument, at: Date, request: NitroRequest): Check {
  const name = "nitro.time";
  const made = new Date(timestamp);
  if (timestamp === 0 || Number.isNaN(made.getTime())) {
    return check(name, false, `timestamp ${timestamp} is no time`);
  }
  if (request.at === "document") {
    return notPerformed(name, `judged at the document's own time, ${made.toISOString()}`);
  }
  const age = at.getTime() - timestamp;
  const most = request.maximumAge ?? 3 * HOUR;
  return check(
    name,
    age <= most && age >= -SKEW,
    `made at ${made.toISOString()}, judged at ${at.toISOString()}, at most ${most / 1000} s old expected`,
  );
}

function debugCheck(document: NitroDocument, allowed: boolean): Check {
  const debug = isNitroDebug(document);
  if (!debug) return check("nitro.debug", true, "PCR0 to 2 are not all zero");
  return check(
    "nitro.debug",
    allowed,
    allowed
      ? "debug mode, which the caller allows"
      : "PCR0 to 2 are zero: the enclave runs in debug mode, its console is open to the host",
  );
}

function pcrsCheck({ pcrs }: NitroDocument, expected: NitroRequest["pcrs"]): Check {
  const name = "nitro.pcrs";
  if (expected === "waived") return notPerformed(name, "no PCR values were asked for");
  if (expected.size === 0) return check(name, false, "an empty set of PCR values was asked for");
  for (const [index, wanted] of expected) {
    const found = pcrs.get(index);
    // A pinned PCR that is absent, or pinned to nothing, must not pass.
    if (wanted.length === 0 || isZero(wanted)) {
      return check(name, false, `PCR${index}: pinned to no value`);
    }
    if (found === undefined) return check(name, false, `PCR${index}: absent`);
    if (!equalBytes(found, wanted)) {
      return check(name, false, `PCR${index}: ${toHex(found)}, ${toHex(wanted)} expected`);
    }
  }
  return check(
    name,
    true,
    `${[...expected.keys()].map((index) => `PCR${index}`).join(", ")} equal`,
  );
}

function bindingCheck(name: string, found: Uint8Array | undefined, wanted: Binding): Check {
  if (wanted === "waived") return notPerformed(name, "no value was asked for");
  if (found === undefined) return check(name, false, "the document carries none");
  const equal = wanted.length > 0 && equalBytes(found, wanted);
  return check(
    name,
    equal,
    equal ? "equals the value asked for" : `${toHex(found)}, ${toHex(wanted)} expected`,
  );
}

function waivedBy(request: NitroRequest): string[] {
  const given: readonly (readonly [string, boolean])[] = [
    ["nitro.time", request.at === "document"],
    ["nitro.pcrs", request.pcrs === "waived"],
    ["nitro.nonce", request.nonce === "waived"],
    ["nitro.user-data", request.userData === "waived"],
    ["nitro.public-key", (request.publicKey ?? "waived") === "waived"],
  ];
  return given.flatMap(([name, waived]) => (waived ? [name] : []));
}

function anchorOf(
  { bundle }: NitroDocument,
  anchors: readonly Certificate[],
): Certificate | undefined {
  const root = bundle[0];
  return anchors.find(({ der, subject }) =>
    root === undefined
      ? false
      : equalBytes(der, root.der) || equalBytes(subject.der, root.issuer.der),
  );
}

async function collateralOf({ der }: Certificate, crypto: CryptoPort): Promise<Collateral> {
  return { name: "root", sha256: toHex(await crypto.digest("SHA-256", der)) };
}

function vectorOf(checks: readonly Check[], platform: string): TrustVector {
  const outcomeOf = (name: string): Check["outcome"] | undefined =>
    checks.find((each) => each.name === name)?.outcome;
  const pinned = {
    passed: TRUST.executablesApproved,
    failed: TRUST.executablesContraindicated,
    "not performed": TRUST.executablesUnrecognised,
  };
  // Software stands behind a simulated document: no hardware is claimed to be genuine.
  const genuine = platform === "aws-nitro";
  return trustVector({
    instanceIdentity: genuine ? TRUST.instanceTrustworthy : TRUST.none,
    configuration:
      outcomeOf("nitro.debug") === "passed"
        ? TRUST.configurationApproved
        : TRUST.configurationUnsupportable,
    executables: pinned[outcomeOf("nitro.pcrs") ?? "not performed"],
    hardware: genuine ? TRUST.hardwareGenuine : TRUST.hardwareUnrecognised,
    runtimeOpaque: genuine ? TRUST.runtimeIsolated : TRUST.none,
  });
}
