// The key that signs attestation results, and how relying parties get to know it: a JSON Web Key with a certificate of
// the authority. Apart from the authority's own key, so that a token can never be taken for a certificate's signature.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import { newSerial, signWith } from "@holdfast/channel";
import type { Jwk } from "@holdfast/contract";
import {
  authorityKeyIdentifier,
  basicConstraints,
  type Clock,
  createCertificate,
  encodeName,
  fromPem,
  fromText,
  keyUsage,
  toBase64,
  toBase64Url,
  webCrypto,
} from "@holdfast/core";
import type { EarClaims } from "@holdfast/evidence";
import type { Authority } from "./authority.ts";

/** A signing key with what is published of it. */
export interface ResultKey {
  readonly privateKey: KeyObject;
  readonly jwk: Jwk;
}

const MINUTE = 60 * 1000;
const DAY = 24 * 60 * MINUTE;

/** Makes a key, PEM. */
export function newResultKeyPem(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** A key as it was kept, with a certificate of the authority made now. */
export async function readResultKey(
  keyPem: string,
  authority: Authority,
  clock: Clock,
): Promise<ResultKey> {
  const privateKey = createPrivateKey(keyPem);
  const { x = "", y = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  const chain = [
    await certify(privateKey, authority, clock),
    ...fromPem("CERTIFICATE", authority.chainPem),
  ];
  return {
    privateKey,
    jwk: {
      kty: "EC",
      crv: "P-256",
      x,
      y,
      use: "sig",
      alg: "ES256",
      kid: await thumbprint(x, y),
      x5c: chain.map(toBase64),
    },
  };
}

/** A signed token of claims (RFC 7519), ES256; the header names the key and carries its certificates. */
export function signResult({ privateKey, jwk }: ResultKey, claims: EarClaims): string {
  const header = { alg: "ES256", typ: "JWT", kid: jwk.kid, x5c: jwk.x5c };
  const signed = [header, claims]
    .map((part) => toBase64Url(fromText(JSON.stringify(part))))
    .join(".");
  const signature = sign("sha256", fromText(signed), {
    key: privateKey,
    dsaEncoding: "ieee-p1363",
  });
  return `${signed}.${toBase64Url(signature)}`;
}

/** The key's name: the hash of its required members in order (RFC 7638). */
async function thumbprint(x: string, y: string): Promise<string> {
  const members = JSON.stringify({ crv: "P-256", kty: "EC", x, y });
  return toBase64Url(await webCrypto.digest("SHA-256", fromText(members)));
}

async function certify(
  privateKey: KeyObject,
  authority: Authority,
  clock: Clock,
): Promise<Uint8Array> {
  const now = clock.now().getTime();
  return await createCertificate(
    {
      serial: newSerial(),
      issuer: authority.certificate.subject.der,
      subject: encodeName({ O: "Holdfast", OU: "Attestation", CN: "attestation results" }),
      notBefore: new Date(now - MINUTE),
      notAfter: new Date(Math.min(now + 90 * DAY, authority.certificate.notAfter.getTime())),
      spki: createPublicKey(privateKey).export({ type: "spki", format: "der" }),
      extensions: [
        basicConstraints(false),
        keyUsage("digitalSignature"),
        await authorityKeyIdentifier(authority.certificate, webCrypto),
      ],
      algorithm: "ecdsa-sha256",
    },
    signWith(authority.privateKey),
  );
}
