// Key identifiers (RFC 5280 sections 4.2.1.1 and 4.2.1.2), made as RFC 7093 section 2 (1) says: no SHA-1.
import type { CryptoPort } from "../crypto-port.ts";
import { contextTag, readDer } from "../der/read.ts";
import { der, octetString, sequence } from "../der/write.ts";
import type { Certificate } from "./certificate.ts";
import { EXTENSION } from "./extensions.ts";
import type { NewExtension } from "./issue.ts";

const LENGTH = 20;

/** The identifier extension of a certificate's own key. */
export async function subjectKeyIdentifier(
  spki: Uint8Array,
  crypto: CryptoPort,
): Promise<NewExtension> {
  const identifier = await identifierOf(spki, crypto);
  return { oid: EXTENSION.subjectKeyIdentifier, value: octetString(identifier) };
}

/** The extension that names the issuer's key: as the issuer's certificate names it, else as it would be made here. */
export async function authorityKeyIdentifier(
  issuer: Pick<Certificate, "spki" | "extensions">,
  crypto: CryptoPort,
): Promise<NewExtension> {
  const own = issuer.extensions.get(EXTENSION.subjectKeyIdentifier);
  const identifier =
    own === undefined ? await identifierOf(issuer.spki, crypto) : readDer(own.value).content;
  return {
    oid: EXTENSION.authorityKeyIdentifier,
    value: sequence(der(contextTag(0, false), identifier)),
  };
}

async function identifierOf(spki: Uint8Array, crypto: CryptoPort): Promise<Uint8Array> {
  return (await crypto.digest("SHA-256", spki)).subarray(0, LENGTH);
}
