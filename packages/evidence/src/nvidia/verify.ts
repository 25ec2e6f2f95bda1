// Judges attestation reports of NVIDIA GPUs: signature by the device's key, whose certificate chains to NVIDIA and names
// the firmware that the report names.
import {
  type Certificate,
  type Check,
  check,
  DerCursor,
  derChildren,
  equalBytes,
  HoldfastError,
  notPerformed,
  PATH_CHECKS,
  readDer,
  toHex,
} from "@holdfast/core";
import { type Appraisal, appraisalOf } from "../appraisal.ts";
import { EvidenceError } from "../errors.ts";
import { expectationChecks, nonceCheck } from "../judge/bindings.ts";
import { hashCollateral } from "../judge/collateral.ts";
import { type FoundPath, findPath } from "../judge/find-path.ts";
import { askingOnce } from "../judge/once.ts";
import { authenticBy } from "../judge/outcome.ts";
import type { JudgeRequest } from "../judge/request.ts";
import { pathRevocation } from "../judge/revocation.ts";
import { CRYPTOGRAPHY_FAILED, TRUST, trustVector } from "../trust-vector.ts";
import { fieldText, GPU_FIELD, type GpuReport, parseGpuReport, vbiosText } from "./report.ts";
import { nvidiaRoot } from "./root.ts";

/** What a report says; byte strings are lower-case hexadecimal. */
export interface GpuClaims {
  readonly nonce: string;
  readonly measurements: Readonly<Record<string, string>>;
  readonly driverVersion?: string;
  readonly vbiosVersion?: string;
  readonly boardId?: string;
  readonly chipSku?: string;
  readonly project?: string;
  readonly projectSku?: string;
  readonly fwid: string;
  readonly device: string;
}

/** Every check of a report, in the order of the result. */
export const GPU_CHECKS = [
  "gpu.format",
  "gpu.leaf",
  ...PATH_CHECKS,
  "gpu.revocation",
  "gpu.signature",
  "gpu.fwid",
  "gpu.nonce",
] as const;

/** DICE TcbInfo, which names the firmware that a key was made for. */
const TCB_INFO = "2.23.133.5.4.1";
const FWIDS = 0xa6;
const AUTHENTICITY: ReadonlySet<string> = new Set([
  "gpu.leaf",
  "path.anchor",
  "path.names",
  "path.signatures",
  "path.ca",
  "path.key-usage",
  "path.path-length",
  "gpu.signature",
  "gpu.fwid",
]);

/** Judges a report; unreadable bytes are a refusal too. */
export async function verifyGpu(
  input: Uint8Array,
  asked: JudgeRequest,
): Promise<Appraisal<GpuClaims>> {
  const request = { ...asked, crypto: askingOnce(asked.crypto) };
  let report: GpuReport;
  try {
    report = parseGpuReport(input);
  } catch (thrown) {
    if (!(thrown instanceof EvidenceError)) throw thrown;
    return open(request, [check("gpu.format", false, thrown.message)], "the report can't be read");
  }
  const format = check("gpu.format", true, `${report.measurements.size} measurements`);
  const nonce = nonceCheck("gpu.nonce", report.nonce, request.nonce);
  const leaf = await leafOf(report, request);
  if (leaf === undefined) {
    const why = "no certificate of a device was supplied";
    return open(request, [format, notPerformed("gpu.leaf", why), nonce], why);
  }
  const path = await findPath({
    leaf,
    others: request.endorsements.certificates,
    anchors: [nvidiaRoot(), ...(request.anchors ?? [])],
    at: request.at,
    crypto: request.crypto,
  });
  const revocation = await pathRevocation("gpu.revocation", path, request);
  const made = [
    format,
    check("gpu.leaf", true, leaf.subject.text),
    ...path.checks,
    revocation.check,
    await signatureCheck(report, leaf, request),
    fwidCheck(report, leaf),
    nonce,
    ...(request.reportData === undefined
      ? []
      : [check("gpu.report-data", false, "a GPU report has no report data: ask for a nonce")]),
  ];
  return await appraise(report, path, made, request);
}

async function appraise(
  report: GpuReport,
  path: FoundPath,
  made: readonly Check[],
  request: JudgeRequest,
): Promise<Appraisal<GpuClaims>> {
  const authentic = authenticBy(made, AUTHENTICITY);
  const genuine = path.anchor !== undefined && equalBytes(path.anchor.der, nvidiaRoot().der);
  const claims = authentic ? gpuClaims(report, path.chain[0]) : undefined;
  const vector = trustVector({
    instanceIdentity: genuine ? TRUST.instanceTrustworthy : TRUST.none,
    hardware: genuine ? TRUST.hardwareGenuine : TRUST.hardwareUnsafe,
    executables: TRUST.executablesUnrecognised,
  });
  return appraisalOf<GpuClaims>({
    type: "nvidia-gpu",
    platform: authentic ? (genuine ? "nvidia-gpu" : "simulated-nvidia-gpu") : "unknown",
    simulated: authentic && !genuine,
    checks: [...made, ...expectationChecks(claims, request.expect)],
    waived: waivedBy(request),
    at: request.at,
    claims,
    trustVector: authentic ? vector : CRYPTOGRAPHY_FAILED,
    collateral: await hashCollateral(
      path.chain.map(({ subject, der }) => [subject.text, der] as const),
      request.crypto,
    ),
    validFrom: new Date(Math.max(...path.chain.map(({ notBefore }) => notBefore.getTime()))),
    validUntil: new Date(Math.min(...path.chain.map(({ notAfter }) => notAfter.getTime()))),
  });
}

/** Of the certificates that name firmware, the one whose key signed; else the first. */
async function leafOf(report: GpuReport, request: JudgeRequest): Promise<Certificate | undefined> {
  const leaves = request.endorsements.certificates.filter(
    ({ extensions, isCa }) => extensions.has(TCB_INFO) && !isCa,
  );
  for (const leaf of leaves) {
    if ((await signatureCheck(report, leaf, request)).outcome === "passed") return leaf;
  }
  return leaves[0];
}

async function signatureCheck(
  report: GpuReport,
  { spki, key }: Certificate,
  { crypto }: JudgeRequest,
): Promise<Check> {
  const scheme = { kind: "ecdsa", curve: "P-384", hash: "SHA-384" } as const;
  const fits = key.kind === "ec" && key.curve === "P-384";
  const signed = fits && (await crypto.verify(scheme, spki, report.signature, report.signedBytes));
  return check(
    "gpu.signature",
    signed,
    signed ? "the device's key signed the report" : "the report's signature is wrong",
  );
}

/** The device's key was made for the firmware that the report names. */
function fwidCheck(report: GpuReport, leaf: Certificate): Check {
  const name = "gpu.fwid";
  const reported = report.fields.get(GPU_FIELD.fwid);
  if (reported === undefined) return check(name, false, "the report names no firmware");
  const certified = certifiedFirmware(leaf);
  if (certified === undefined) return check(name, false, "the certificate names no firmware");
  const same = equalBytes(reported, certified);
  return check(
    name,
    same,
    same
      ? `firmware ${toHex(reported)}`
      : `report: ${toHex(reported)}; certificate: ${toHex(certified)}`,
  );
}

/** The digest of the firmware in the certificate. NVIDIA writes the list of one without its list. */
function certifiedFirmware({ extensions }: Certificate): Uint8Array | undefined {
  try {
    const whole = readDer(extensions.get(TCB_INFO)?.value ?? new Uint8Array());
    const members = derChildren(whole);
    const list = members.find(({ tag }) => tag === FWIDS);
    const fwid = list === undefined ? members.at(-1) : derChildren(list)[0];
    if (fwid === undefined) return undefined;
    const cursor = new DerCursor(fwid, "FWID");
    cursor.next("hash");
    return cursor.next("digest", 0x04).content;
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return undefined;
  }
}

/** What a report says, as it stands. */
export function gpuClaims(report: GpuReport, leaf: Certificate | undefined): GpuClaims {
  const text = (field: number): string | undefined => {
    const value = report.fields.get(field);
    return value === undefined ? undefined : fieldText(value);
  };
  const vbios = report.fields.get(GPU_FIELD.vbiosVersion);
  const board = report.fields.get(GPU_FIELD.boardId);
  const optional = {
    driverVersion: text(GPU_FIELD.driverVersion),
    vbiosVersion: vbios === undefined ? undefined : vbiosText(vbios),
    boardId: board === undefined ? undefined : toHex(board),
    chipSku: text(GPU_FIELD.chipSku),
    project: text(GPU_FIELD.project),
    projectSku: text(GPU_FIELD.projectSku),
  };
  return {
    nonce: toHex(report.nonce),
    measurements: Object.fromEntries(
      [...report.measurements].map(([index, value]) => [index, toHex(value)]),
    ),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    fwid: toHex(report.fields.get(GPU_FIELD.fwid) ?? new Uint8Array()),
    device: leaf?.subject.text ?? "",
  };
}

function waivedBy(request: JudgeRequest): string[] {
  return [...(request.nonce === undefined ? ["gpu.nonce"] : []), ...(request.waive ?? [])];
}

function open(request: JudgeRequest, made: readonly Check[], why: string): Appraisal<GpuClaims> {
  const byName = new Map(made.map((each) => [each.name, each]));
  return appraisalOf<GpuClaims>({
    type: "nvidia-gpu",
    platform: "unknown",
    simulated: false,
    checks: GPU_CHECKS.map((name) => byName.get(name) ?? notPerformed(name, why)),
    waived: waivedBy(request),
    at: request.at,
    trustVector: CRYPTOGRAPHY_FAILED,
  });
}
