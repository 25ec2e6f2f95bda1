// A service's certificate under a local authority. Its key is made beside it and lives in memory alone.
import { generateKeyPairSync } from "node:crypto";
import {
  authorityKeyIdentifier,
  basicConstraints,
  type Clock,
  createCertificate,
  derWrite,
  EXTENSION,
  encodeName,
  keyUsage,
  toPem,
  webCrypto,
} from "@holdfast/core";
import { keyPemOf, newSerial, signWith } from "../keys.ts";
import type { LocalAuthority } from "./local-authority.ts";
import { alternativeNames } from "./names.ts";

/** A certificate and its key, PEM, and when to have another. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
  readonly renewAt: Date;
}

const HOUR = 60 * 60 * 1000;
const LIFE = 90 * 24 * HOUR;
/** The last part of a life is left for whoever sleeps through the time of renewal. */
const RENEWED_AFTER = 60 * 24 * HOUR;
const SERVER_AUTHENTICATION = "1.3.6.1.5.5.7.3.1";

/** Issues a certificate for an authority's names, which ends no later than the authority. */
export async function issueServer(
  authority: LocalAuthority,
  clock: Clock,
): Promise<ServerCertificate> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const now = clock.now().getTime();
  const notAfter = Math.min(now + LIFE, authority.certificate.notAfter.getTime());
  const der = await createCertificate(
    {
      serial: newSerial(),
      issuer: authority.certificate.subject.der,
      subject: encodeName({ O: "Holdfast", CN: "local service" }),
      notBefore: new Date(now - HOUR),
      notAfter: new Date(notAfter),
      spki: publicKey.export({ type: "spki", format: "der" }),
      extensions: [
        basicConstraints(false),
        keyUsage("digitalSignature"),
        {
          oid: EXTENSION.extendedKeyUsage,
          value: derWrite.sequence(derWrite.oid(SERVER_AUTHENTICATION)),
        },
        alternativeNames(authority.names),
        await authorityKeyIdentifier(authority.certificate, webCrypto),
      ],
      algorithm: "ecdsa-sha256",
    },
    signWith(authority.privateKey),
  );
  return {
    cert: toPem("CERTIFICATE", der),
    key: keyPemOf(privateKey),
    renewAt: new Date(now + RENEWED_AFTER),
  };
}
