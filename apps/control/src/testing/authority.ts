// A small authority for tests of this room: its key in a directory, its certificate over HTTP as the attestation
// service says it, and certificates for keeps.
import { createPrivateKey } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { keepExtensions, newKeepKey, newSerial, signWith } from "@holdfast/channel";
import {
  basicConstraints,
  createCertificate,
  encodeName,
  fromHex,
  fromPem,
  keyUsage,
  parseCertificate,
  systemClock,
  toPem,
} from "@holdfast/core";
import { policyHash } from "@holdfast/policy";

const HOUR = 60 * 60 * 1000;

/** An attestation service that only names its authority. */
export interface SmallAuthority {
  readonly url: string;
  readonly certificatePem: string;
  close(): Promise<void>;
}

interface Files {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** Makes an authority in a directory and serves its certificate. */
export async function startAuthority(directory: string): Promise<SmallAuthority> {
  const key = await newKeepKey(new Uint8Array(32), "authority");
  const name = encodeName({ CN: "test authority" });
  const der = await createCertificate(
    {
      serial: newSerial(),
      issuer: name,
      subject: name,
      ...validity(),
      spki: key.spki,
      extensions: [basicConstraints(true, 0), keyUsage("keyCertSign")],
      algorithm: "ecdsa-sha256",
    },
    signWith(key.privateKey),
  );
  const certificatePem = toPem("CERTIFICATE", der);
  const keyPem = key.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  writeFileSync(join(directory, "authority.json"), JSON.stringify({ certificatePem, keyPem }));
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ certificate_pem: certificatePem, accepts: [] }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    certificatePem,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A keep's key and certificate from the authority in a directory. */
export async function certifyKeep(
  directory: string,
  policyText: string,
  measurement: string,
): Promise<{ privateKey: Awaited<ReturnType<typeof newKeepKey>>["privateKey"]; chainPem: string }> {
  const text = readFileSync(join(directory, "authority.json"), "utf8");
  const { certificatePem, keyPem } = JSON.parse(text) as Files;
  const hash = fromHex(await policyHash(policyText));
  const key = await newKeepKey(hash, "test");
  const [authority = new Uint8Array()] = fromPem("CERTIFICATE", certificatePem);
  const leaf = await createCertificate(
    {
      serial: newSerial(),
      issuer: parseCertificate(authority).subject.der,
      subject: encodeName({ CN: "keep" }),
      ...validity(),
      spki: key.spki,
      extensions: [
        basicConstraints(false),
        keyUsage("digitalSignature"),
        ...keepExtensions({
          measurement: fromHex(measurement),
          policyHash: hash,
          platform: "simulated-nitro",
        }),
      ],
      algorithm: "ecdsa-sha256",
    },
    signWith(createPrivateKey(keyPem)),
  );
  return { privateKey: key.privateKey, chainPem: toPem("CERTIFICATE", leaf) + certificatePem };
}

function validity(): { notBefore: Date; notAfter: Date } {
  const now = systemClock.now().getTime();
  return { notBefore: new Date(now - HOUR), notAfter: new Date(now + 24 * HOUR) };
}
