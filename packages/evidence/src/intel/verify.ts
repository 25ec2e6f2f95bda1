// Judges quotes of SGX and TDX by the whole procedure of Intel: platform certificate and revocation, quoting enclave,
// TCB information and identity with their signatures, TDX module, level search and convergence; then debug mode,
// attributes and bindings.
import {
  type Certificate,
  type Check,
  check,
  notPerformed,
  type RevocationList,
  toHex,
} from "@holdfast/core";
import { type Appraisal, appraisalOf } from "../appraisal.ts";
import { equalsHex } from "../binary/cursor.ts";
import { keyOfPoint } from "../endorsements/trusted-key.ts";
import { EvidenceError } from "../errors.ts";
import { eventLogChecks, logAmong } from "../eventlog/checks.ts";
import {
  expectationChecks,
  noNonceCheck,
  reportDataCheck,
  waivedBindings,
} from "../judge/bindings.ts";
import { hashCollateral } from "../judge/collateral.ts";
import type { FoundPath } from "../judge/find-path.ts";
import { askingOnce } from "../judge/once.ts";
import { authenticBy, hardwareVector } from "../judge/outcome.ts";
import type { JudgeRequest } from "../judge/request.ts";
import { CRYPTOGRAPHY_FAILED } from "../trust-vector.ts";
import { bodyChecks, intelDebugCheck } from "./body-checks.ts";
import {
  type IntelPlatformClaims,
  isIntelDebug,
  platformClaims,
  type SgxClaims,
  sgxClaims,
  type TdxClaims,
  tdxClaims,
} from "./claims.ts";
import { type JudgedDocument, judgeDocument, unjudgedDocument } from "./collateral.ts";
import { type EnclaveIdentity, parseEnclaveIdentity } from "./enclave-identity.ts";
import { evaluateTcb, type TcbEvaluation } from "./evaluate-tcb.ts";
import { isIntelRoot, type PckExtension, pckAuthority } from "./pck.ts";
import { judgePlatform, type Platform } from "./platform.ts";
import { certificatesOf } from "./platform-path.ts";
import type { IntelPolicy } from "./policy.ts";
import { parseQuote, type Quote } from "./quote.ts";
import { qeBindingCheck, qeIdentityCheck, qeSignatureCheck } from "./quoting-enclave.ts";
import { tcbChecks, tcbDemandChecks } from "./tcb-checks.ts";
import { parseTcbInfo, type TcbInfo } from "./tcb-info.ts";

/** How to judge a quote. */
export interface IntelRequest extends JudgeRequest {
  readonly intel?: IntelPolicy;
}

/** Claims of either kind of quote. */
export type IntelClaims = SgxClaims | TdxClaims;

const VENDOR = "939a7233f79c4ca9940a0db3957f0607";
/** Without these nothing in the quote is more than what somebody wrote. */
const AUTHENTICITY: ReadonlySet<string> = new Set([
  "quote.vendor",
  "pck.path.anchor",
  "pck.path.names",
  "pck.path.signatures",
  "pck.path.ca",
  "pck.path.key-usage",
  "pck.path.path-length",
  "pck.names",
  "pck.extension",
  "qe.signature",
  "qe.binding",
  "quote.signature",
]);

/** Judges a quote; unreadable bytes are a refusal too. Never throws for bad evidence. */
export async function verifyQuote(
  input: Uint8Array,
  asked: IntelRequest,
): Promise<Appraisal<IntelClaims>> {
  const request = { ...asked, crypto: askingOnce(asked.crypto) };
  try {
    const quote = parseQuote(input);
    const carried = certificatesOf(quote.certification);
    return await judge(quote, carried, request);
  } catch (thrown) {
    if (!(thrown instanceof EvidenceError)) throw thrown;
    return appraisalOf<IntelClaims>({
      type: "intel-quote",
      platform: "unknown",
      simulated: false,
      checks: [
        check("quote.format", false, thrown.message),
        notPerformed("quote.signature", "the quote can't be read"),
      ],
      at: request.at,
      trustVector: CRYPTOGRAPHY_FAILED,
    });
  }
}

async function judge(
  quote: Quote,
  carried: readonly Certificate[],
  request: IntelRequest,
): Promise<Appraisal<IntelClaims>> {
  const policy = request.intel ?? {};
  const platform = await judgePlatform(quote, carried, request);
  const { tcbInfo, identity } = await judgeCollateral(quote, platform.extension, request);
  const qe = qeIdentityCheck(quote, identity.document);
  const evaluation = evaluate(quote, platform.extension, tcbInfo, identity);
  const numbers = [tcbInfo.document, identity.document].flatMap((document) =>
    document === undefined ? [] : [document.tcbEvaluationDataNumber],
  );
  const evaluationDataNumber = numbers.length < 2 ? undefined : Math.min(...numbers);
  const made = [
    check("quote.format", true, `version ${quote.version}, ${quote.body.kind.toUpperCase()}`),
    trailingCheck(quote),
    check("quote.vendor", toHex(quote.vendorId) === VENDOR, `vendor ${toHex(quote.vendorId)}`),
    ...platform.checks,
    ...tcbInfo.checks,
    ...identity.checks,
    await withLeaf("qe.signature", platform.leaf, (leaf) => qeSignatureCheck(quote, leaf, request)),
    await qeBindingCheck(quote, request),
    qe,
    await quoteSignatureCheck(quote, request),
    ...bodyChecks(quote, tcbInfo.document, policy),
    ...tcbChecks(evaluation, policy, request.at),
    intelDebugCheck(quote, request.allowDebug ?? false),
    reportDataCheck("quote.report-data", quote.body.report.reportData, request.reportData),
    ...noNonceCheck("quote.nonce", request.nonce),
    ...(await logChecks(quote, request)),
    ...tcbDemandChecks(evaluation, { pck: platform.extension, evaluationDataNumber }, policy),
  ];
  const authentic = authenticBy(made, AUTHENTICITY) && qe.outcome !== "failed";
  const claims =
    authentic && platform.extension !== undefined
      ? claimsOf(quote, platform.extension, platform.path, evaluation, evaluationDataNumber)
      : undefined;
  const checks = [...made, ...expectationChecks(claims, request.expect)];
  return await appraise(
    { quote, platform, tcbInfo, identity, evaluation, checks, claims },
    request,
  );
}

async function judgeCollateral(
  quote: Quote,
  pck: PckExtension | undefined,
  request: IntelRequest,
): Promise<{ tcbInfo: JudgedDocument<TcbInfo>; identity: JudgedDocument<EnclaveIdentity> }> {
  const [id, qeId] = quote.body.kind === "sgx" ? ["SGX", "QE"] : ["TDX", "TD_QE"];
  return {
    tcbInfo:
      pck === undefined
        ? unjudgedDocument("tcb-info", "the platform is not known")
        : await judgeDocument(
            "tcb-info",
            "TCB information",
            parseTcbInfo,
            (info) =>
              info.id === id &&
              equalsHex(pck.fmspc, info.fmspc) &&
              equalsHex(pck.pceId, info.pceId),
            request,
          ),
    identity: await judgeDocument(
      "qe-identity",
      "QE identity",
      parseEnclaveIdentity,
      (each) => each.id === qeId,
      request,
    ),
  };
}

function evaluate(
  quote: Quote,
  pck: PckExtension | undefined,
  tcbInfo: JudgedDocument<TcbInfo>,
  identity: JudgedDocument<EnclaveIdentity>,
): TcbEvaluation | string | undefined {
  if (pck === undefined || tcbInfo.document === undefined || identity.document === undefined) {
    return undefined;
  }
  return evaluateTcb({
    pck,
    tcbInfo: tcbInfo.document,
    identity: identity.document,
    qeIsvSvn: quote.qeReport.isvSvn,
    ...(quote.body.kind === "tdx" ? { td: quote.body.report } : {}),
  });
}

/** Producers round buffers up with zeros; anything else after the structure was put there by somebody. */
function trailingCheck({ trailing }: Quote): Check {
  const padded = trailing.every((byte) => byte === 0);
  return check(
    "quote.trailing",
    padded,
    padded
      ? `${trailing.length} bytes of padding`
      : "bytes that do not belong there follow the quote",
  );
}

async function quoteSignatureCheck(quote: Quote, { crypto }: IntelRequest): Promise<Check> {
  const { attestationKey } = quote;
  const { spki } = keyOfPoint("P-256", attestationKey.subarray(0, 32), attestationKey.subarray(32));
  const scheme = { kind: "ecdsa", curve: "P-256", hash: "SHA-256" } as const;
  const signed = await crypto.verify(scheme, spki, quote.signature, quote.signedBytes);
  return check(
    "quote.signature",
    signed,
    signed ? "the attestation key signed the quote" : "the quote's signature is wrong",
  );
}

/** An event log that came along must end in the registers of this very TD. */
async function logChecks(quote: Quote, request: IntelRequest): Promise<Check[]> {
  const log = logAmong(request.endorsements.parts);
  if (log === undefined || quote.body.kind !== "tdx") return [];
  const { mrTd, rtMrs } = quote.body.report;
  const values = [mrTd, ...rtMrs].map((value, register): [number, string] => [
    register,
    toHex(value),
  ]);
  return await eventLogChecks(
    log,
    {
      nameOf: (register) => (register === 0 ? "MRTD" : `RTMR${register - 1}`),
      // MRTD is fixed before anything is logged.
      values: new Map(values.slice(1)),
      bank: "sha384",
    },
    request.crypto,
  );
}

async function withLeaf(
  name: string,
  leaf: Certificate | undefined,
  make: (leaf: Certificate) => Promise<Check>,
): Promise<Check> {
  return leaf === undefined ? notPerformed(name, "no PCK certificate") : await make(leaf);
}

function claimsOf(
  quote: Quote,
  pck: PckExtension,
  path: FoundPath | undefined,
  evaluation: TcbEvaluation | string | undefined,
  evaluationDataNumber: number | undefined,
): IntelClaims {
  const intermediate = path?.chain[1];
  const authority = intermediate === undefined ? undefined : pckAuthority(intermediate);
  const platform: IntelPlatformClaims = {
    ...platformClaims(quote, pck, authority ?? "processor"),
    ...(typeof evaluation === "object" ? { tcbDate: isoSeconds(evaluation.tcbDate) } : {}),
    ...(evaluationDataNumber === undefined
      ? {}
      : { tcbEvaluationDataNumber: evaluationDataNumber }),
  };
  const debug = isIntelDebug(quote);
  return quote.body.kind === "sgx"
    ? sgxClaims(quote.body.report, platform, debug)
    : tdxClaims(quote.body.report, platform, debug);
}

interface Judged {
  readonly quote: Quote;
  readonly platform: Platform;
  readonly tcbInfo: JudgedDocument<TcbInfo>;
  readonly identity: JudgedDocument<EnclaveIdentity>;
  readonly evaluation: TcbEvaluation | string | undefined;
  readonly checks: readonly Check[];
  readonly claims: IntelClaims | undefined;
}

async function appraise(judged: Judged, request: IntelRequest): Promise<Appraisal<IntelClaims>> {
  const { quote, platform, tcbInfo, identity, evaluation, checks, claims } = judged;
  const { kind } = quote.body;
  const genuine = isIntelRoot(platform.path?.anchor);
  const authentic = claims !== undefined;
  const known = authentic && typeof evaluation === "object" ? evaluation : undefined;
  const measurement = kind === "sgx" ? "expect.mrEnclave" : "expect.mrTd";
  const windows = [
    ...(platform.path?.chain ?? []),
    ...tcbInfo.signers,
    ...identity.signers,
    ...[tcbInfo.document, identity.document].flatMap((document) =>
      document === undefined
        ? []
        : [{ notBefore: document.issueDate, notAfter: document.nextUpdate }],
    ),
    ...listsOf(judged).map(({ thisUpdate, nextUpdate }) => ({
      notBefore: thisUpdate,
      notAfter: nextUpdate,
    })),
  ];
  return appraisalOf<IntelClaims>({
    type: kind,
    platform: authentic ? `${genuine ? "intel" : "simulated"}-${kind}` : "unknown",
    simulated: authentic && !genuine,
    checks,
    waived: waivedBindings(request, "quote"),
    at: request.at,
    debug: authentic ? isIntelDebug(quote) : undefined,
    claims,
    trustVector: authentic
      ? hardwareVector(checks, { genuine, debug: "quote.debug", measurement, tcb: "tcb.status" })
      : CRYPTOGRAPHY_FAILED,
    collateral: await collateralOf(judged, request),
    tcbStatus: known?.status,
    advisoryIds: known?.advisoryIds ?? [],
    ...(windows.length === 0
      ? {}
      : {
          validFrom: new Date(Math.max(...windows.map(({ notBefore }) => notBefore.getTime()))),
          validUntil: new Date(Math.min(...windows.map(({ notAfter }) => notAfter.getTime()))),
        }),
  });
}

async function collateralOf(judged: Judged, request: IntelRequest) {
  const { platform, tcbInfo, identity } = judged;
  const documents = [
    ["TCB information", tcbInfo.bytes],
    ["QE identity", identity.bytes],
  ] as const;
  return await hashCollateral(
    [
      ...(platform.path?.chain ?? []).map(({ subject, der }) => [subject.text, der] as const),
      ...documents.flatMap(([name, bytes]) =>
        bytes === undefined ? [] : [[name, bytes] as const],
      ),
      ...listsOf(judged).map(
        ({ issuer, der }) => [`revocation list of ${issuer.text}`, der] as const,
      ),
    ],
    request.crypto,
  );
}

/** Every revocation list that was used, once. */
function listsOf({ platform, tcbInfo, identity }: Judged): readonly RevocationList[] {
  return [...new Set([...platform.lists, ...tcbInfo.lists, ...identity.lists])];
}

/** A time as Intel writes it. */
function isoSeconds(date: Date): string {
  return date.toISOString().replace(".000Z", "Z");
}
