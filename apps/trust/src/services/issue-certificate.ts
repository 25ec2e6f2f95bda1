// The certificate a keep serves with: short-lived, for signing only, saying what its evidence proved.
import {
  keepExtensions,
  newSerial,
  type Platform,
  POLICY_HASH_OID,
  type ProvenKeep,
  signWith,
} from "@holdfast/channel";
import {
  authorityKeyIdentifier,
  basicConstraints,
  type Clock,
  createCertificate,
  derWrite,
  EXTENSION,
  encodeName,
  fromHex,
  fromText,
  keyUsage,
  webCrypto,
} from "@holdfast/core";
import type { Authority } from "./authority.ts";

/** A certificate that was issued. */
export interface Issued {
  readonly der: Uint8Array;
  readonly serial: string;
  readonly notAfter: Date;
}

const MINUTE = 60 * 1000;
const DNS_NAME_TAG = 0x82;
/** The name that clients of the Veracruz protocol ask for in the handshake. */
const ENCLAVE_NAME = "ComputeEnclave.dev";

/** Issues a certificate. Nothing of the request but its key goes in: the subject is the service's own words. */
export async function issueCertificate(
  authority: Authority,
  keep: ProvenKeep,
  validHours: number,
  clock: Clock,
): Promise<Issued> {
  const now = clock.now().getTime();
  const serial = newSerial();
  // Certificates know whole seconds.
  const ends = Math.floor((now + validHours * 60 * MINUTE) / 1000) * 1000;
  const notAfter = new Date(Math.min(ends, authority.certificate.notAfter.getTime()));
  const claims = keepExtensions({
    measurement: fromHex(keep.measurement),
    policyHash: fromHex(keep.policyHash ?? ""),
    platform: keep.platform,
  }).filter(({ oid }) => keep.policyHash !== undefined || oid !== POLICY_HASH_OID);
  const der = await createCertificate(
    {
      serial,
      issuer: authority.certificate.subject.der,
      subject: encodeName({ O: "Holdfast", OU: subjectUnit(keep.platform), CN: "keep" }),
      notBefore: new Date(now - MINUTE),
      notAfter,
      spki: keep.spki,
      extensions: [
        basicConstraints(false),
        keyUsage("digitalSignature"),
        await authorityKeyIdentifier(authority.certificate, webCrypto),
        {
          oid: EXTENSION.subjectAltName,
          value: derWrite.sequence(derWrite.der(DNS_NAME_TAG, fromText(ENCLAVE_NAME))),
        },
        ...claims,
      ],
      algorithm: "ecdsa-sha256",
    },
    signWith(authority.privateKey),
  );
  return { der, serial: serial.toHex(), notAfter };
}

function subjectUnit(platform: Platform): string {
  return platform === "simulated-nitro" ? "SIMULATED" : platform;
}
