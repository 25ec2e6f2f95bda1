// Certification requests (PKCS #10, RFC 2986) with requested extensions (RFC 2985 section 5.4.2).
import type { CryptoPort } from "../crypto-port.ts";
import {
  contextTag,
  DerCursor,
  type DerNode,
  derChildren,
  fault,
  readDer,
  TAG,
} from "../der/read.ts";
import { derOid, derUnsigned } from "../der/values.ts";
import { type PublicKeyKind, parsePublicKey, type SignatureAlgorithm } from "./algorithm.ts";
import { isSignedBy, parseSigned, readingCertificate } from "./certificate.ts";
import { type Extensions, parseExtensions } from "./extensions.ts";
import { type Name, parseName } from "./name.ts";

/** OID of the attribute that carries requested extensions. */
export const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";

/** A certification request, read once. */
export interface CertificationRequest {
  readonly der: Uint8Array;
  readonly tbs: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  readonly subject: Name;
  readonly spki: Uint8Array;
  readonly key: PublicKeyKind;
  /** Requested extensions; empty when none are. */
  readonly extensions: Extensions;
}

/**
 * Reads a certification request; its signature is a separate question (`isRequestSigned`).
 * @throws CertificateError CERTIFICATE_MALFORMED, CERTIFICATE_UNSUPPORTED
 */
export function parseCertificationRequest(der: Uint8Array): CertificationRequest {
  return readingCertificate("certification request", () => {
    const { tbs, algorithm, signature } = parseSigned(der, "certification request");
    const cursor = new DerCursor(readDer(tbs), "certificationRequestInfo");
    const version = derUnsigned(cursor.next("version"), "version");
    if (version !== 0) throw fault(`version ${version + 1}, expected 1`);
    const subject = parseName(cursor.next("subject"), "subject");
    const spkiNode = cursor.next("subjectPublicKeyInfo");
    const attributes = cursor.optional(contextTag(0, true));
    cursor.end();
    return {
      der,
      tbs,
      algorithm,
      signature,
      subject,
      spki: spkiNode.bytes,
      key: parsePublicKey(spkiNode),
      extensions: attributes === undefined ? new Map() : requestedExtensions(attributes),
    };
  });
}

/** Whether the request is signed by the key it asks a certificate for. */
export function isRequestSigned(
  request: CertificationRequest,
  crypto: CryptoPort,
): Promise<boolean> {
  return isSignedBy(request, request.spki, request.key, crypto);
}

function requestedExtensions(attributes: DerNode): Extensions {
  let extensions: Extensions | undefined;
  for (const node of derChildren(attributes)) {
    const cursor = new DerCursor(node, "attribute");
    const type = derOid(cursor.next("type"), "attribute");
    const values = derChildren(cursor.next("values", TAG.set));
    cursor.end();
    if (type !== EXTENSION_REQUEST) continue;
    const [value] = values;
    if (extensions !== undefined || value === undefined || values.length !== 1) {
      throw fault("extension request must stand once, with one value");
    }
    extensions = parseExtensions(value);
  }
  return extensions ?? new Map();
}
