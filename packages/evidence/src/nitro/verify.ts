// Judges Nitro attestation documents. Every check there is stands in the result: the format, the signature, the path to
// a trusted root, debug mode, time, the pinned PCRs, and what the document is bound to.
import {
  type Certificate,
  type Check,
  type CryptoPort,
  check,
  equalBytes,
  notPerformed,
  PATH_CHECKS,
  toHex,
  verifyPath,
} from "@holdfast/core";
import { type Appraisal, allNotPerformed, appraisalOf, type Collateral } from "../appraisal.ts";
import { EvidenceError } from "../errors.ts";
import { CRYPTOGRAPHY_FAILED, TRUST, type TrustVector, trustVector } from "../trust-vector.ts";
import {
  algorithmsCheck,
  bindingCheck,
  debugCheck,
  headersCheck,
  leafCheck,
  pcrsCheck,
  signatureCheck,
  timeCheck,
} from "./checks.ts";
import { isNitroDebug, type NitroClaims, nitroClaims } from "./claims.ts";
import { type NitroDocument, parseNitroDocument } from "./document.ts";
import type { NitroRequest } from "./request.ts";
import { nitroPlatform } from "./root.ts";

/** Every check of a document, in the order of the result. */
export const NITRO_CHECKS = [
  "nitro.format",
  "nitro.headers",
  "nitro.digest",
  ...PATH_CHECKS,
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

/** The anchor that the path ends at. A name tells nothing where the root itself stands in the bundle: others may bear it. */
function anchorOf(
  { bundle }: NitroDocument,
  anchors: readonly Certificate[],
): Certificate | undefined {
  const root = bundle[0];
  if (root === undefined) return undefined;
  return (
    anchors.find(({ der }) => equalBytes(der, root.der)) ??
    anchors.find(({ subject }) => equalBytes(subject.der, root.issuer.der))
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
  // Software stands behind a simulated document: nobody may take it for hardware.
  const genuine = platform === "aws-nitro";
  return trustVector({
    instanceIdentity: genuine ? TRUST.instanceTrustworthy : TRUST.none,
    configuration:
      outcomeOf("nitro.debug") === "passed"
        ? TRUST.configurationApproved
        : TRUST.configurationUnsupportable,
    executables: pinned[outcomeOf("nitro.pcrs") ?? "not performed"],
    // Accepted only because the verifier was told to: recognised, but nothing protects it.
    hardware: genuine ? TRUST.hardwareGenuine : TRUST.hardwareUnsafe,
    runtimeOpaque: genuine ? TRUST.runtimeIsolated : TRUST.none,
  });
}
