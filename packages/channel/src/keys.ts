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
  toPem,
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

const DAY = 24 * 60 * 60 * 1000;

/**
 * Makes a self-signed client certificate, as the seed's user program does with openssl.
 * @param options.days how long it is valid, from an hour before now (clocks differ); 365 by default
 */
export async function newIdentity(options: {
  commonName: string;
  clock: Clock;
  days?: number;
}): Promise<ClientIdentity> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const now = options.clock.now().getTime();
  const name = encodeName({ CN: options.commonName });
  const der = await createCertificate(
    {
      serial: newSerial(),
      issuer: name,
      subject: name,
      notBefore: new Date(now - DAY / 24),
      notAfter: new Date(now + (options.days ?? 365) * DAY),
      spki: publicKey.export({ type: "spki", format: "der" }),
      extensions: [basicConstraints(false), keyUsage("digitalSignature")],
      algorithm: "ecdsa-sha256",
    },
    signWith(privateKey),
  );
  return {
    // Policies want the text to end with the END line itself.
    certificatePem: toPem("CERTIFICATE", der).trimEnd(),
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
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
