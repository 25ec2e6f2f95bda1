// An authority that signs keeps' certificates: how one is made, what it asks of an outside authority, how it is read back.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { newSerial, signWith } from "@holdfast/channel";
import {
  basicConstraints,
  type Certificate,
  type Clock,
  createCertificate,
  createCertificationRequest,
  encodeName,
  equalBytes,
  fromPem,
  keyUsage,
  parseCertificate,
  subjectKeyIdentifier,
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

const HOUR = 60 * 60 * 1000;
const YEAR = 365 * 24 * HOUR;
// Leaves only: nobody below this authority may issue.
const EXTENSIONS = [basicConstraints(true, 0), keyUsage("keyCertSign", "cRLSign")];

/** Makes an authority with a key of its own, P-256, valid for ten years. */
export async function newAuthority(clock: Clock): Promise<StoredAuthority> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const now = clock.now().getTime();
  const serial = newSerial();
  const name = encodeName({
    O: "Holdfast",
    OU: "Attestation",
    CN: `attestation authority ${toHex(serial.subarray(0, 4))}`,
  });
  const der = await createCertificate(
    {
      serial,
      issuer: name,
      subject: name,
      notBefore: new Date(now - HOUR),
      notAfter: new Date(now + 10 * YEAR),
      spki: spkiOf(privateKey),
      extensions: [...EXTENSIONS, await subjectKeyIdentifier(spkiOf(privateKey), webCrypto)],
      algorithm: "ecdsa-sha256",
    },
    signWith(privateKey),
  );
  return {
    key_pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    chain_pem: toPem("CERTIFICATE", der),
  };
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
      extensions: EXTENSIONS,
      algorithm: "ecdsa-sha256",
    },
    signWith(privateKey),
  );
  return toPem("CERTIFICATE REQUEST", der);
}

function spkiOf(privateKey: KeyObject): Uint8Array {
  return createPublicKey(privateKey).export({ type: "spki", format: "der" });
}
