// Interoperable RA-TLS certificates (CCC Attestation SIG): tagged evidence in a certificate, over a buffer of claims with
// the hash of the certificate's key.
import {
  type Certificate,
  check,
  type DigestName,
  equalBytes,
  HoldfastError,
  isSignedBy,
  notPerformed,
  parseCertificate,
  toHex,
} from "@holdfast/core";
import type { Appraisal } from "../appraisal.ts";
import { type CborNode, cborFault, readCbor } from "../cbor/read.ts";
import {
  cborArray,
  cborBytes,
  cborEntry,
  cborMap,
  cborRequired,
  cborUnsigned,
} from "../cbor/values.ts";
import { malformed } from "../errors.ts";
import { parseQuote } from "../intel/quote.ts";
import { type IntelRequest, verifyQuote } from "../intel/verify.ts";
import { nonceCheck } from "../judge/bindings.ts";
import { boundCheck, type CarriedClaims, judgeCarried, refusedCarrier } from "./carrier.ts";

/** Extension of tagged evidence (TCG DICE). */
export const TAGGED_EVIDENCE = "2.23.133.5.4.9";
/** Tag of ECDSA quotes of SGX and TDX. */
export const ECDSA_QUOTE = 60_000n;
const MAXIMUM_EXTENSION = 48 * 1024;

/** What a certificate adds to the claims of its quote. */
export interface RaTlsClaims {
  readonly oid: string;
  readonly cborTag: number;
  readonly quoteReportData: string;
  /** `sha-256 8d5e…`, over the certificate's key. */
  readonly pubkeyHash: string;
}

const HASHES: Readonly<Record<number, readonly [DigestName, string]>> = {
  1: ["SHA-256", "sha-256"],
  7: ["SHA-384", "sha-384"],
  8: ["SHA-512", "sha-512"],
};
const BINDING: ReadonlySet<string> = new Set(["ra-tls.signature", "ra-tls.key", "ra-tls.evidence"]);

/** A certificate with what it carries, read but not verified. */
export interface RaTlsParts {
  readonly certificate: Certificate;
  readonly quote: Uint8Array;
  readonly buffer: Uint8Array;
  readonly hash: { readonly name: DigestName; readonly label: string; readonly value: Uint8Array };
  readonly nonce: Uint8Array | undefined;
}

/** Judges a certificate, DER; what can't be read is refused. */
export async function verifyRaTls(
  der: Uint8Array,
  request: IntelRequest,
): Promise<Appraisal<CarriedClaims<RaTlsClaims>>> {
  let parts: RaTlsParts;
  let reportData: Uint8Array;
  try {
    parts = parseRaTls(der);
    reportData = parseQuote(parts.quote).body.report.reportData;
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return refusedCarrier("ra-tls", thrown.message, request);
  }
  const { certificate, hash, buffer } = parts;
  const { crypto, at } = request;
  const signed = await isSignedBy(certificate, certificate.spki, certificate.key, crypto);
  const keyHash = await crypto.digest(hash.name, certificate.spki);
  const valid = at >= certificate.notBefore && at <= certificate.notAfter;
  const dates = `${certificate.notBefore.toISOString()} to ${certificate.notAfter.toISOString()}`;
  const checks = [
    check("ra-tls.format", true, "tagged evidence over a buffer of claims"),
    check(
      "ra-tls.signature",
      signed,
      signed ? "signed by its own key" : "not signed by its own key",
    ),
    check("ra-tls.validity", valid, `valid from ${dates}`),
    check(
      "ra-tls.key",
      equalBytes(keyHash, hash.value),
      `claimed ${toHex(hash.value)}, the key hashes to ${toHex(keyHash)}`,
    ),
    boundCheck(
      "ra-tls.evidence",
      reportData,
      await crypto.digest("SHA-256", buffer),
      "these claims",
    ),
    parts.nonce === undefined && request.nonce === undefined
      ? notPerformed("ra-tls.nonce", "no nonce was asked for, and none is carried")
      : nonceCheck("ra-tls.nonce", parts.nonce, request.nonce),
  ];
  return await judgeCarried(
    {
      type: "ra-tls",
      checks,
      binding: BINDING,
      own: {
        oid: TAGGED_EVIDENCE,
        cborTag: Number(ECDSA_QUOTE),
        quoteReportData: toHex(reportData),
        pubkeyHash: `${hash.label} ${toHex(hash.value)}`,
      },
      waived: request.nonce === undefined ? ["ra-tls.nonce"] : [],
    },
    async (asked: IntelRequest) => await verifyQuote(parts.quote, asked),
    request,
  );
}

/** A certificate as it stands. */
export function parseRaTls(der: Uint8Array): RaTlsParts {
  const certificate = parseCertificate(der);
  const extension = certificate.extensions.get(TAGGED_EVIDENCE);
  if (extension === undefined) throw malformed("the certificate carries no tagged evidence");
  const whole = readCbor(extension.value, { bytes: MAXIMUM_EXTENSION });
  if (whole.kind !== "tag" || whole.tag !== ECDSA_QUOTE) {
    throw cborFault("tagged evidence: tag 60000 expected");
  }
  const [evidence, claims] = cborArray(whole.item, "tagged evidence", { least: 2, most: 2 });
  if (evidence === undefined || claims === undefined)
    throw cborFault("tagged evidence: two members");
  const quote = cborBytes(evidence, "evidence", { least: 1, most: MAXIMUM_EXTENSION });
  const buffer = cborBytes(claims, "claims buffer", { least: 1, most: 4096 });
  const map = cborMap(readCbor(buffer), "claims buffer");
  const nonce = cborEntry(map, "nonce");
  return {
    certificate,
    quote,
    buffer,
    hash: parseHash(cborRequired(map, "pubkey-hash", "claims buffer")),
    nonce: nonce === undefined ? undefined : cborBytes(nonce, "nonce", { least: 8, most: 64 }),
  };
}

/** An array of algorithm and hash, inside a byte string. SHA-1 is none of the algorithms. */
function parseHash(node: CborNode): RaTlsParts["hash"] {
  const inner = readCbor(cborBytes(node, "pubkey-hash", { least: 1, most: 128 }));
  const [algorithm, value] = cborArray(inner, "pubkey-hash", { least: 2, most: 2 });
  if (algorithm === undefined || value === undefined) throw cborFault("pubkey-hash: two members");
  const known = HASHES[cborUnsigned(algorithm, "hash algorithm")];
  if (known === undefined) throw cborFault("pubkey-hash: SHA-256, SHA-384 or SHA-512 expected");
  const [name, label] = known;
  return { name, label, value: cborBytes(value, "hash", { least: 32, most: 64 }) };
}
