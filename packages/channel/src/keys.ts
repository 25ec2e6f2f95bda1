// Keys and certificates that the two ends of a channel make for themselves: P-256, signed with node:crypto.
import {
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import {
  basicConstraints,
  type Clock,
  createCertificate,
  createCertificationRequest,
  encodeName,
  keyUsage,
  type NewExtension,
  subjectKeyIdentifier,
  toPem,
  webCrypto,
} from "@holdfast/core";
import { POLICY_HASH_OID } from "./keep-certificate.ts";

/** A certificate and its private key, PEM. */
export interface ClientIdentity {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** A keep's TLS key with the request for its certificate. */
export interface KeepKey {
  readonly privateKey: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** Certification request, DER; its policy-hash extension makes SHA-256(request) bind key and policy at once. */
  readonly request: Uint8Array;
}

/** A private key and the certificate that it signed itself. */
export interface SelfSigned {
  readonly privateKey: KeyObject;
  /** Certificate, DER. */
  readonly der: Uint8Array;
}

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;

/** What an authority may do: sign leaves and lists, and nobody below it may issue. */
export const AUTHORITY_EXTENSIONS: readonly NewExtension[] = [
  basicConstraints(true, 0),
  keyUsage("keyCertSign", "cRLSign"),
];

/**
 * Makes a self-signed client certificate, as the seed's user program does with openssl.
 * @param options.days how long it is valid; 365 by default
 */
export async function newIdentity(options: {
  commonName: string;
  clock: Clock;
  days?: number;
}): Promise<ClientIdentity> {
  const { commonName, clock, days = 365 } = options;
  const name = { CN: commonName };
  const { der, privateKey } = await newSelfSigned({ kind: "peer", name, days, clock });
  // Policies want the text to end with the END line itself.
  return { certificatePem: toPem("CERTIFICATE", der).trimEnd(), keyPem: keyPemOf(privateKey) };
}

/**
 * Makes a key, P-256, and a certificate over it, valid from an hour ago: clocks differ.
 * @param options.name attributes of subject and issuer, by their short labels
 * @param options.extensions beside those that every certificate of its kind has
 */
export async function newSelfSigned(options: {
  kind: "peer" | "authority";
  name: Readonly<Record<string, string>>;
  days: number;
  clock: Clock;
  extensions?: readonly NewExtension[];
}): Promise<SelfSigned> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const now = options.clock.now().getTime();
  const name = encodeName(options.name);
  const usual =
    options.kind === "peer"
      ? [basicConstraints(false), keyUsage("digitalSignature")]
      : [...AUTHORITY_EXTENSIONS, await subjectKeyIdentifier(spki, webCrypto)];
  const der = await createCertificate(
    {
      serial: newSerial(),
      issuer: name,
      subject: name,
      notBefore: new Date(now - HOUR),
      notAfter: new Date(now + options.days * DAY),
      spki,
      extensions: [...usual, ...(options.extensions ?? [])],
      algorithm: "ecdsa-sha256",
    },
    signWith(privateKey),
  );
  return { privateKey, der };
}

/**
 * Makes a keep's TLS key and the request for its certificate.
 * @param policyHash raw 32-byte SHA-256 of the policy text
 */
export async function newKeepKey(
  policyHash: Uint8Array,
  organizationalUnit: string,
): Promise<KeepKey> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const request = await createCertificationRequest(
    {
      subject: encodeName({ O: "Holdfast", OU: organizationalUnit, CN: "keep" }),
      spki,
      extensions: [{ oid: POLICY_HASH_OID, value: policyHash }],
      algorithm: "ecdsa-sha256",
    },
    signWith(privateKey),
  );
  return { privateKey, spki, request };
}

/** A signer for certificates, ECDSA with SHA-256 unless told otherwise. */
export function signWith(
  key: KeyObject | string,
  hash: "sha256" | "sha384" = "sha256",
): (tbs: Uint8Array) => Uint8Array {
  const privateKey = typeof key === "string" ? createPrivateKey(key) : key;
  return (tbs) => sign(hash, tbs, privateKey);
}

/** A random serial number: positive, 16 bytes. */
export function newSerial(): Uint8Array {
  const serial = Uint8Array.from(randomBytes(16));
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

/** A private key as text, PKCS #8 in PEM. */
export function keyPemOf(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
