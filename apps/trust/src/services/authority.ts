// An authority that signs keeps' certificates: how one is made, what it asks of an outside authority, how it is read back.
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from "node:crypto";
import { AUTHORITY_EXTENSIONS, keyPemOf, newSelfSigned, signWith } from "@holdfast/channel";
import {
  type Certificate,
  type Clock,
  createCertificationRequest,
  equalBytes,
  fromPem,
  parseCertificate,
  toHex,
  toPem,
  webCrypto,
} from "@holdfast/core";

/** An authority as it is kept. */
export interface StoredAuthority {
  readonly key_pem: string;
  /** The authority's certificate, then those above it when an outside authority stands there. */
  readonly chain_pem: string;
}

/** An authority: certificate, those above it, and key. */
export interface Authority {
  readonly certificate: Certificate;
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly sha256: string;
  readonly certificatePem: string;
  readonly chainPem: string;
  readonly privateKey: KeyObject;
  readonly stored: StoredAuthority;
}

const TEN_YEARS = 10 * 365;

/** Makes an authority with a key of its own, P-256, valid for ten years. */
export async function newAuthority(clock: Clock): Promise<StoredAuthority> {
  const { privateKey, der } = await newSelfSigned({
    kind: "authority",
    name: {
      O: "Holdfast",
      OU: "Attestation",
      CN: `attestation authority ${randomBytes(4).toString("hex")}`,
    },
    days: TEN_YEARS,
    clock,
  });
  return { key_pem: keyPemOf(privateKey), chain_pem: toPem("CERTIFICATE", der) };
}

/**
 * An authority as it was kept.
 * @throws Error when key and certificate don't belong together, or the certificate may not issue
 */
export async function readAuthority(stored: StoredAuthority): Promise<Authority> {
  const privateKey = createPrivateKey(stored.key_pem);
  const [der = new Uint8Array(), ...above] = fromPem("CERTIFICATE", stored.chain_pem);
  const certificate = parseCertificate(der);
  if (!equalBytes(certificate.spki, spkiOf(privateKey))) {
    throw new Error("the key is not that of the certificate");
  }
  if (!certificate.isCa || !certificate.keyUsage?.has("keyCertSign")) {
    throw new Error("the certificate may not issue certificates");
  }
  const certificatePem = toPem("CERTIFICATE", der);
  return {
    certificate,
    sha256: toHex(await webCrypto.digest("SHA-256", der)),
    certificatePem,
    chainPem: [certificatePem, ...above.map((each) => toPem("CERTIFICATE", each))].join(""),
    privateKey,
    stored,
  };
}

/** The request that an outside authority certifies this one by, PEM. */
export async function authorityRequest({ certificate, privateKey }: Authority): Promise<string> {
  const der = await createCertificationRequest(
    {
      subject: certificate.subject.der,
      spki: certificate.spki,
      extensions: AUTHORITY_EXTENSIONS,
      algorithm: "ecdsa-sha256",
    },
    signWith(privateKey),
  );
  return toPem("CERTIFICATE REQUEST", der);
}

function spkiOf(privateKey: KeyObject): Uint8Array {
  return createPublicKey(privateKey).export({ type: "spki", format: "der" });
}
