// The authority that signs keeps' certificates: its key is made on first start and never leaves the data directory.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { join } from "node:path";
import { newSerial, signWith } from "@holdfast/channel";
import {
  basicConstraints,
  type Certificate,
  type Clock,
  createCertificate,
  encodeName,
  equalBytes,
  fromPem,
  keyUsage,
  messageOf,
  parseCertificate,
  toPem,
} from "@holdfast/core";
import { TrustError } from "../errors.ts";
import { readOrMake } from "./read-or-make.ts";

/** The authority: certificate and key. */
export interface Authority {
  readonly certificate: Certificate;
  readonly certificatePem: string;
  readonly privateKey: KeyObject;
}

const HOUR = 60 * 60 * 1000;
const YEAR = 365 * 24 * HOUR;

/**
 * The authority kept in a directory as `authority.key` (mode 0600) and `authority.pem`, made when there is none.
 * @throws TrustError AUTHORITY_UNUSABLE
 */
export async function openAuthority(directory: string, clock: Clock): Promise<Authority> {
  try {
    const keyPem = await readOrMake(join(directory, "authority.key"), 0o600, newKeyPem);
    const privateKey = createPrivateKey(keyPem);
    const certificatePem = await readOrMake(join(directory, "authority.pem"), 0o644, () =>
      certify(privateKey, clock),
    );
    const [der = new Uint8Array()] = fromPem("CERTIFICATE", certificatePem);
    const certificate = parseCertificate(der);
    if (!equalBytes(certificate.spki, spkiOf(privateKey))) {
      throw new Error("authority.key is not the key of authority.pem");
    }
    if (!certificate.isCa) throw new Error("authority.pem is not a CA certificate");
    return { certificate, certificatePem: toPem("CERTIFICATE", der), privateKey };
  } catch (cause) {
    throw new TrustError(
      "AUTHORITY_UNUSABLE",
      `authority in ${directory} can't be used: ${messageOf(cause)}`,
      { cause },
    );
  }
}

function newKeyPem(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

async function certify(privateKey: KeyObject, clock: Clock): Promise<string> {
  const now = clock.now().getTime();
  const serial = newSerial();
  const name = encodeName({
    O: "Holdfast",
    OU: "Attestation",
    CN: `attestation authority ${serial.subarray(0, 4).toHex()}`,
  });
  const der = await createCertificate(
    {
      serial,
      issuer: name,
      subject: name,
      notBefore: new Date(now - HOUR),
      notAfter: new Date(now + 10 * YEAR),
      spki: spkiOf(privateKey),
      // Leaves only: nobody below this authority may issue.
      extensions: [basicConstraints(true, 0), keyUsage("keyCertSign", "cRLSign")],
      algorithm: "ecdsa-sha256",
    },
    signWith(privateKey),
  );
  return toPem("CERTIFICATE", der);
}

function spkiOf(privateKey: KeyObject): Uint8Array {
  return createPublicKey(privateKey).export({ type: "spki", format: "der" });
}
