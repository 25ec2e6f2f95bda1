// Verifies a receipt without the keep: its signature under the keep's certificate, and the certificate against the
// policy, at the time the run ended.
import {
  type Check,
  check,
  fromBase64,
  fromBase64Url,
  fromText,
  messageOf,
  parseCertificate,
  toText,
  webCrypto,
} from "@holdfast/core";
import { type Policy, policyHash } from "@holdfast/policy";
import { ChannelError } from "./errors.ts";
import { judgeKeep, type KeepVerdict, type SkippableCheck } from "./judge-keep.ts";
import { parseReceiptClaims, RECEIPT_TYPE, type ReceiptClaims, receiptFault } from "./receipt.ts";

/** What a receipt is verified against. */
export interface ReceiptRequest {
  /** The receipt as the keep wrote it. */
  readonly receipt: string;
  readonly policy: Policy;
  readonly skip?: ReadonlySet<SkippableCheck>;
}

/** Outcome of verifying a receipt. */
export interface ReceiptVerdict {
  readonly checks: readonly Check[];
  /** All passed, save those the caller skipped on purpose. */
  readonly affirmed: boolean;
  readonly claims: ReceiptClaims;
  /** The keep that signed, judged as of the end of the run. */
  readonly keep: KeepVerdict;
}

const MAXIMUM_RECEIPT = 32 * 1024 * 1024;
const MAXIMUM_CHAIN = 6;

/**
 * Verifies a receipt.
 * @throws ChannelError CHANNEL_RECEIPT when it can't be read
 */
export async function verifyReceipt(request: ReceiptRequest): Promise<ReceiptVerdict> {
  const { signed, chain, claims, signature } = parseReceipt(request.receipt);
  const [leaf] = chain;
  if (leaf === undefined) throw receiptFault("there is no certificate in it");
  const holds = await webCrypto.verify(
    { kind: "ecdsa", curve: "P-256", hash: "SHA-256" },
    parseCertificate(leaf).spki,
    signature,
    fromText(signed),
  );
  const keep = await judgeKeep({
    chain,
    policy: request.policy,
    policyHash: await policyHash(request.policy.text),
    at: new Date(claims.ended_at),
    ...(request.skip === undefined ? {} : { skip: request.skip }),
  });
  const own = [
    check(
      "receipt.signature",
      holds,
      holds ? "signed by the keep's key" : "the signature does not hold",
    ),
    ...claimChecks(claims, keep),
  ];
  return {
    checks: [...own, ...keep.checks],
    affirmed: keep.affirmed && own.every(({ outcome }) => outcome === "passed"),
    claims,
    keep,
  };
}

/** What a receipt says of its keep must be what the keep's certificate says. */
function claimChecks(claims: ReceiptClaims, keep: KeepVerdict): Check[] {
  const same = (name: string, said: unknown, certified: unknown): Check =>
    check(
      `receipt.${name}`,
      said === certified,
      said === certified ? String(said) : `the receipt says ${said}, the certificate ${certified}`,
    );
  return [
    same("measurement", claims.measurement, keep.measurement),
    same("platform", claims.platform, keep.platform),
    same("simulated", claims.simulated, keep.simulated),
    same("policy-hash", claims.policy_hash, keep.policyHash),
    check(
      "receipt.times",
      Date.parse(claims.started_at) <= Date.parse(claims.ended_at),
      `from ${claims.started_at} to ${claims.ended_at}`,
    ),
  ];
}

interface ParsedReceipt {
  readonly signed: string;
  readonly chain: readonly Uint8Array[];
  readonly claims: ReceiptClaims;
  readonly signature: Uint8Array;
}

function parseReceipt(untrusted: string): ParsedReceipt {
  if (untrusted.length > MAXIMUM_RECEIPT) throw receiptFault("it is too long");
  const [header, payload, signature, ...more] = untrusted.trim().split(".", 4);
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) {
    throw receiptFault("three parts with dots between are expected");
  }
  try {
    return {
      signed: `${header}.${payload}`,
      chain: readHeader(toText(fromBase64Url(header))),
      claims: parseReceiptClaims(fromBase64Url(payload)),
      signature: fromBase64Url(signature),
    };
  } catch (cause) {
    if (cause instanceof ChannelError) throw cause;
    throw receiptFault(messageOf(cause), cause);
  }
}

function readHeader(text: string): Uint8Array[] {
  const header = JSON.parse(text) as {
    alg?: unknown;
    typ?: unknown;
    crit?: unknown;
    x5c?: unknown;
  };
  // Nothing is chosen by the header: another algorithm is another format.
  if (header.alg !== "ES256" || header.typ !== RECEIPT_TYPE || header.crit !== undefined) {
    throw receiptFault(`the header does not say ES256 and ${RECEIPT_TYPE}`);
  }
  const { x5c } = header;
  if (!Array.isArray(x5c) || x5c.length === 0 || x5c.length > MAXIMUM_CHAIN) {
    throw receiptFault(`1 to ${MAXIMUM_CHAIN} certificates are expected`);
  }
  return x5c.map((entry) => {
    const der = fromBase64(String(entry));
    parseCertificate(der);
    return der;
  });
}
