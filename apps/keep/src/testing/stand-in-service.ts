// An attestation service within the test: a real authority that certifies whatever it is asked to, without looking at
// the evidence. What the real service checks is tested where it lives.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { keepClaims, keepExtensions, newSerial, type Platform, signWith } from "@holdfast/channel";
import {
  basicConstraints,
  type Clock,
  createCertificate,
  encodeName,
  fromHex,
  keyUsage,
  parseCertificationRequest,
  toPem,
} from "@holdfast/core";
import type { AttestationService } from "../boot/attestation-service.ts";

/** What the stand-in writes into certificates. */
export interface StandInOptions {
  readonly clock: Clock;
  /** Lower-case hexadecimal. */
  readonly measurement: string;
  readonly platform?: Platform;
  readonly hours?: number;
  /** Instead of the one in the request. */
  readonly policyHash?: string;
}

/** A stand-in with the certificate that policies are to name. */
export interface StandIn extends AttestationService {
  readonly certificatePem: string;
}

const HOUR = 60 * 60 * 1000;

/** Makes a stand-in. */
export async function newStandIn(options: StandInOptions): Promise<StandIn> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const now = options.clock.now().getTime();
  const name = encodeName({ O: "Holdfast", CN: "stand-in authority" });
  const authority = await createCertificate(
    {
      serial: newSerial(),
      issuer: name,
      subject: name,
      notBefore: new Date(now - HOUR),
      notAfter: new Date(now + 1000 * HOUR),
      spki: publicKey.export({ type: "spki", format: "der" }),
      extensions: [basicConstraints(true), keyUsage("keyCertSign")],
      algorithm: "ecdsa-sha256",
    },
    signWith(privateKey),
  );
  const certificatePem = toPem("CERTIFICATE", authority).trimEnd();
  return {
    certificatePem,
    challenge: async () => ({ id: "1", nonce: new Uint8Array(randomBytes(32)) }),
    async certificate({ request }) {
      const csr = parseCertificationRequest(request);
      const hash = options.policyHash ?? keepClaims(csr).policyHash ?? "";
      const at = options.clock.now().getTime();
      const leaf = await createCertificate(
        {
          serial: newSerial(),
          issuer: name,
          subject: encodeName({ O: "Holdfast", CN: "keep" }),
          notBefore: new Date(at - HOUR),
          notAfter: new Date(at + (options.hours ?? 24) * HOUR),
          spki: csr.spki,
          extensions: [
            basicConstraints(false),
            keyUsage("digitalSignature"),
            ...keepExtensions({
              measurement: fromHex(options.measurement),
              policyHash: fromHex(hash),
              platform: options.platform ?? "simulated-nitro",
            }),
          ],
          algorithm: "ecdsa-sha256",
        },
        signWith(privateKey),
      );
      return `${toPem("CERTIFICATE", leaf)}${certificatePem}\n`;
    },
  };
}
