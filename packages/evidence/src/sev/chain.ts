// Verifies the chain of a SEV platform: AMD's root and intermediate, the chip's key, the owner's authority, the platform's
// endorsement key, and its key for the exchange with a guest's owner.
import {
  type Check,
  type CryptoPort,
  check,
  concat,
  equalBytes,
  type SignatureScheme,
} from "@holdfast/core";
import type { TrustedKey } from "../endorsements/trusted-key.ts";
import {
  SEV_ALGORITHM,
  type SevAuthority,
  type SevCertificate,
  type SevSignature,
  type SevUsage,
} from "./certificates.ts";

/** The certificates of a platform. */
export interface SevChain {
  readonly ark: SevAuthority;
  readonly ask: SevAuthority;
  readonly cek: SevCertificate;
  readonly oca: SevCertificate;
  readonly pek: SevCertificate;
  readonly pdh: SevCertificate;
}

/** Names of the checks, in order. */
export const SEV_CHAIN_CHECKS = [
  "sev.usages",
  "sev.anchor",
  "sev.ark",
  "sev.ask",
  "sev.cek",
  "sev.oca",
  "sev.pek",
  "sev.pdh",
] as const;

const COORDINATE = 72;

/**
 * Verifies a chain.
 * @param anchors roots that are trusted: AMD's, enrolled by the caller
 */
export async function verifySevChain(
  chain: SevChain,
  anchors: readonly TrustedKey[],
  crypto: CryptoPort,
): Promise<Check[]> {
  const { ark, ask, cek, oca, pek, pdh } = chain;
  const usages = Object.entries(chain).filter(([name, { usage }]) => name !== usage);
  const anchored = anchors.some(({ spki }) => equalBytes(spki, ark.key.spki));
  const certified = (name: string, subject: SevCertificate, signers: readonly Signer[]) =>
    certificateCheck(name, subject, signers, crypto);
  return [
    check(
      "sev.usages",
      usages.length === 0,
      usages.length === 0
        ? "each certificate is what it stands for"
        : usages.map(([name, { usage }]) => `${name} is a ${usage}`).join(", "),
    ),
    check("sev.anchor", anchored, anchored ? "a trusted root" : "ends at no trusted root"),
    await authorityCheck("sev.ark", ark, ark, crypto),
    await authorityCheck("sev.ask", ask, ark, crypto),
    await certified("sev.cek", cek, [signer("ask", ask.key)]),
    await certified("sev.oca", oca, [signer("oca", oca.key)]),
    await certified("sev.pek", pek, [signer("cek", cek.key), signer("oca", oca.key)]),
    await certified("sev.pdh", pdh, [signer("pek", pek.key)]),
  ];
}

interface Signer {
  readonly usage: SevUsage;
  readonly key: TrustedKey;
}

function signer(usage: SevUsage, key: TrustedKey): Signer {
  return { usage, key };
}

async function authorityCheck(
  name: string,
  subject: SevAuthority,
  issuer: SevAuthority,
  crypto: CryptoPort,
): Promise<Check> {
  const named = subject.certifyingId === issuer.keyId;
  const scheme = pss(issuer.bits === 4096 ? SEV_ALGORITHM.rsaSha384 : SEV_ALGORITHM.rsaSha256);
  const signed =
    named &&
    scheme !== undefined &&
    (await crypto.verify(scheme, issuer.key.spki, subject.signature, subject.signedBytes));
  return check(name, signed, signed ? `signed by ${issuer.usage}` : "its signature is wrong");
}

/** Every signer must have signed: an owner's authority alone makes no genuine platform. */
async function certificateCheck(
  name: string,
  subject: SevCertificate,
  signers: readonly Signer[],
  crypto: CryptoPort,
): Promise<Check> {
  for (const { usage, key } of signers) {
    const signature = subject.signatures.find((each) => each.usage === usage);
    if (signature === undefined) return check(name, false, `not signed by ${usage}`);
    if (!(await holds(signature, key, subject.signedBytes, crypto))) {
      return check(name, false, `its signature by ${usage} is wrong`);
    }
  }
  return check(name, true, `signed by ${signers.map(({ usage }) => usage).join(" and ")}`);
}

async function holds(
  { algorithm, value }: SevSignature,
  { spki, key }: TrustedKey,
  data: Uint8Array,
  crypto: CryptoPort,
): Promise<boolean> {
  if (key.kind === "rsa") {
    const scheme = pss(algorithm);
    const length = key.bits / 8;
    if (scheme === undefined || value.subarray(length).some((byte) => byte !== 0)) return false;
    return await crypto.verify(scheme, spki, value.subarray(0, length).toReversed(), data);
  }
  const hash = algorithm === SEV_ALGORITHM.ecdsaSha384 ? "SHA-384" : "SHA-256";
  const known = algorithm === SEV_ALGORITHM.ecdsaSha384 || algorithm === SEV_ALGORITHM.ecdsaSha256;
  if (!known || key.kind !== "ec") return false;
  const length = key.curve === "P-256" ? 32 : 48;
  const halves = [0, COORDINATE].map((at) => value.subarray(at, at + COORDINATE));
  if (halves.some((half) => half.subarray(length).some((byte) => byte !== 0))) return false;
  const raw = concat(...halves.map((half) => half.subarray(0, length).toReversed()));
  return await crypto.verify({ kind: "ecdsa", curve: key.curve, hash }, spki, raw, data);
}

function pss(algorithm: number): SignatureScheme | undefined {
  if (algorithm === SEV_ALGORITHM.rsaSha256) {
    return { kind: "rsa-pss", hash: "SHA-256", saltLength: 32 };
  }
  if (algorithm === SEV_ALGORITHM.rsaSha384) {
    return { kind: "rsa-pss", hash: "SHA-384", saltLength: 48 };
  }
  return undefined;
}
